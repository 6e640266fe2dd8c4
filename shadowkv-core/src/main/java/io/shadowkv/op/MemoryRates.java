package io.shadowkv.op;

/// How fast a backend reads its memories, in bytes a second, as it measured them when it was opened.
///
/// @param device reads of device memory
/// @param link reads of host memory by operations; infinite where host memory is the device's own
public record MemoryRates(double device, double link) {
    /// Rates of a backend whose two places are the same memory: nothing comes over a link.
    public static final MemoryRates ONE_MEMORY = new MemoryRates(1, Double.POSITIVE_INFINITY);

    public MemoryRates {
        if (!(device > 0 && link > 0)) {
            throw new IllegalArgumentException(
                    "rates of " + device + " and " + link + " bytes/s; both must be positive");
        }
    }

    /// How many times as long as a byte of device memory a byte over the link takes; 0 where there is no link.
    public double linkCost() {
        return device / link;
    }
}
