package io.shadowkv.op.reference;

/// `exp(x) / sum(exp(x))`, the largest x subtracted first so that nothing overflows.
final class Softmax {
    private Softmax() {}

    static void apply(double[] values) {
        double largest = Double.NEGATIVE_INFINITY;
        for (double value : values) {
            largest = Math.max(largest, value);
        }
        double sum = 0;
        for (int i = 0; i < values.length; i++) {
            values[i] = Math.exp(values[i] - largest);
            sum += values[i];
        }
        for (int i = 0; i < values.length; i++) {
            values[i] /= sum;
        }
    }
}
