package io.shadowkv.op;

/// How fast a backend reads device and host memory, in bytes per second. The backend measures the
/// rates when it is opened.
///
/// @param device reads of device memory
/// @param link reads of host memory by operations; infinite if device and host memory are the same
public record MemoryRates(double device, double link) {
    /// Rates of a backend whose device and host memory are the same: there is no link.
    public static final MemoryRates ONE_MEMORY = new MemoryRates(1, Double.POSITIVE_INFINITY);

    public MemoryRates {
        if (!(device > 0 && link > 0)) {
            throw new IllegalArgumentException(
                    "rates of " + device + " and " + link + " bytes/s; both must be positive");
        }
    }

    /// Time per byte over the link divided by time per byte of device memory; 0 if there is no
    /// link.
    public double linkCost() {
        return device / link;
    }
}
