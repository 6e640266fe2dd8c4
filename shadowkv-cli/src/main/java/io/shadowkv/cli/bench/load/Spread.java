package io.shadowkv.cli.bench.load;

import java.util.Arrays;
import java.util.stream.DoubleStream;

/// The distribution of a latency. All values are NaN if nothing was measured.
public record Spread(double mean, double p50, double p90, double p99, double max) {
    /// @param values NaN is left out
    public static Spread of(DoubleStream values) {
        double[] sorted = values.filter(value -> !Double.isNaN(value)).sorted().toArray();
        return new Spread(
                Arrays.stream(sorted).average().orElse(Double.NaN),
                percentile(sorted, 0.5),
                percentile(sorted, 0.9),
                percentile(sorted, 0.99),
                percentile(sorted, 1));
    }

    /// Interpolates linearly between the two nearest values, as NumPy does.
    private static double percentile(double[] sorted, double share) {
        if (sorted.length == 0) {
            return Double.NaN;
        }
        double place = (sorted.length - 1) * share;
        int below = (int) place;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
    }
}
