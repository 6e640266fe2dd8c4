package io.shadowkv.cache.prefill;

import java.util.Arrays;

/// The attention of the last queries of a prompt to all keys, of one query head: what MInference
/// estimates its columns and distances from.
///
/// Sums over the head dim run for all queries at a time, so that the compiler can vectorise them.
final class LastQueries {
    private final float[] queries;
    private final int count;
    private final int headDim;

    /// @param queries `[count, queryHeads, headDim]`
    /// @param scale factor of the dot products
    LastQueries(float[] queries, int queryHeads, int head, int headDim, double scale) {
        this.headDim = headDim;
        this.count = queries.length / (queryHeads * headDim);
        this.queries = new float[count * headDim];
        for (int i = 0; i < count; i++) {
            for (int e = 0; e < headDim; e++) {
                this.queries[e * count + i] = (float) (scale * queries[(i * queryHeads + head) * headDim + e]);
            }
        }
    }

    /// Sums of the weights of each key, and of each distance between a row and a key.
    record Sums(double[] columns, double[] distances) {}

    /// @param keys `[keyCount, headDim]`; the last `count` keys are those of the queries
    Sums attend(float[] keys, int keyCount) {
        float[] weights = exponents(keys, keyCount);
        normalise(weights, keyCount);
        double[] columns = new double[keyCount];
        double[] distances = new double[keyCount];
        for (int j = 0; j < keyCount; j++) {
            for (int i = firstRow(j, keyCount); i < count; i++) {
                float weight = weights[j * count + i];
                columns[j] += weight;
                distances[keyCount - count + i - j] += weight;
            }
        }
        return new Sums(columns, distances);
    }

    /// The first query that reads key j.
    private int firstRow(int j, int keyCount) {
        return Math.max(0, j - (keyCount - count));
    }

    /// `[keyCount, count]`
    private float[] exponents(float[] keys, int keyCount) {
        float[] exponents = new float[keyCount * count];
        float[] sums = new float[count];
        for (int j = 0; j < keyCount; j++) {
            Arrays.fill(sums, 0);
            for (int e = 0; e < headDim; e++) {
                addScaled(keys[j * headDim + e], queries, e * count, sums);
            }
            System.arraycopy(sums, 0, exponents, j * count, count);
        }
        return exponents;
    }

    private static void addScaled(float factor, float[] x, int at, float[] sums) {
        for (int i = 0; i < sums.length; i++) {
            sums[i] += factor * x[at + i];
        }
    }

    /// Softmax of each query over the keys that are not after it.
    private void normalise(float[] weights, int keyCount) {
        float[] largest = new float[count];
        Arrays.fill(largest, Float.NEGATIVE_INFINITY);
        for (int j = 0; j < keyCount; j++) {
            for (int i = firstRow(j, keyCount); i < count; i++) {
                largest[i] = Math.max(largest[i], weights[j * count + i]);
            }
        }
        double[] totals = new double[count];
        for (int j = 0; j < keyCount; j++) {
            for (int i = firstRow(j, keyCount); i < count; i++) {
                float weight = (float) Math.exp(weights[j * count + i] - largest[i]);
                weights[j * count + i] = weight;
                totals[i] += weight;
            }
        }
        for (int j = 0; j < keyCount; j++) {
            for (int i = firstRow(j, keyCount); i < count; i++) {
                weights[j * count + i] = (float) (weights[j * count + i] / totals[i]);
            }
        }
    }
}
