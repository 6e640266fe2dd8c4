package io.shadowkv.cache.prefill;

/// The softmax weights of one row of one query head, in double, for measurements.
final class RowWeights {
    /// Sums that do not wait for each other.
    private static final int SUMS = 4;

    private RowWeights() {}

    /// The weights of keys 0 to `keyCount` (exclusive).
    ///
    /// @param queries holds the row's query from `at` on
    /// @param keys `[keyCount or more, headDim]`
    static double[] of(float[] queries, int at, float[] keys, int keyCount, int headDim, double scale) {
        double[] weights = new double[keyCount];
        double largest = Double.NEGATIVE_INFINITY;
        for (int j = 0; j < keyCount; j++) {
            weights[j] = scale * dot(queries, at, keys, j * headDim, headDim);
            largest = Math.max(largest, weights[j]);
        }
        double total = 0;
        for (int j = 0; j < keyCount; j++) {
            weights[j] = Math.exp(weights[j] - largest);
            total += weights[j];
        }
        for (int j = 0; j < keyCount; j++) {
            weights[j] /= total;
        }
        return weights;
    }

    private static double dot(float[] x, int xAt, float[] y, int yAt, int length) {
        float[] sums = new float[SUMS];
        int whole = length / SUMS * SUMS;
        for (int e = 0; e < whole; e += SUMS) {
            for (int i = 0; i < SUMS; i++) {
                sums[i] += x[xAt + e + i] * y[yAt + e + i];
            }
        }
        for (int e = whole; e < length; e++) {
            sums[0] += x[xAt + e] * y[yAt + e];
        }
        return (double) sums[0] + sums[1] + sums[2] + sums[3];
    }
}
