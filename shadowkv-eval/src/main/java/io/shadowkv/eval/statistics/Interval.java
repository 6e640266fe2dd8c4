package io.shadowkv.eval.statistics;

/// Ends of a 95 % confidence interval; NaN if there is none.
public record Interval(double low, double high) {
    static final Interval NONE = new Interval(Double.NaN, Double.NaN);

    Interval clamped(double least, double most) {
        return new Interval(Math.max(least, low), Math.min(most, high));
    }

    public boolean contains(double value) {
        return low <= value && value <= high;
    }
}
