package io.shadowkv.eval.statistics;

/// A mean over samples with what is known of its error.
///
/// @param value NaN where there are no samples
/// @param samples it is the mean of
public record Estimate(double value, Interval interval, int samples) {
    public static final Estimate NONE = new Estimate(Double.NaN, Interval.NONE, 0);
}
