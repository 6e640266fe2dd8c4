package io.shadowkv.cli.bench.load;

import java.util.Arrays;
import java.util.SplittableRandom;

/// Times at which requests arrive.
public final class Arrivals {
    private static final double NANOS = 1e9;

    private Arrivals() {}

    /// Draws the arrivals of a Poisson process: the gaps are independent and exponentially distributed.
    ///
    /// @param perSecond mean number of arrivals in a second
    /// @param count number of arrivals
    /// @return nanoseconds since the first arrival, ascending
    public static long[] poisson(double perSecond, int count, long seed) {
        if (!(perSecond > 0) || Double.isInfinite(perSecond)) {
            throw new IllegalArgumentException("rate is " + perSecond + " requests/s; expected more than 0");
        }
        SplittableRandom random = new SplittableRandom(seed);
        long[] times = new long[count];
        double time = 0;
        for (int i = 1; i < count; i++) {
            // 1 - u is in (0, 1], so the logarithm is finite.
            time -= Math.log(1 - random.nextDouble()) / perSecond;
            times[i] = Math.round(time * NANOS);
        }
        return times;
    }

    /// The arrivals before a time.
    public static long[] before(long[] times, long nanos) {
        int end = Arrays.binarySearch(times, nanos);
        return Arrays.copyOf(times, end < 0 ? -end - 1 : end);
    }
}
