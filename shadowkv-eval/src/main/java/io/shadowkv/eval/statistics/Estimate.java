package io.shadowkv.eval.statistics;

/// A mean over samples with its confidence interval.
///
/// @param value NaN if there are no samples
/// @param samples number of samples
public record Estimate(double value, Interval interval, int samples) {
    public static final Estimate NONE = new Estimate(Double.NaN, Interval.NONE, 0);
}
