package io.shadowkv.op.testing;

/// Attention over one head as anyone would first write it: float, summed in order.
public final class PlainAttention {
    private PlainAttention() {}

    /// Softmax of `query · key * scale` over `count` rows of `keys` that start at element `from`.
    public static float[] weights(float[] query, float[] keys, int from, int count, float scale) {
        float[] weights = new float[count];
        float largest = Float.NEGATIVE_INFINITY;
        for (int j = 0; j < count; j++) {
            for (int e = 0; e < query.length; e++) {
                weights[j] += query[e] * keys[from + j * query.length + e];
            }
            weights[j] *= scale;
            largest = Math.max(largest, weights[j]);
        }
        float sum = 0;
        for (int j = 0; j < count; j++) {
            weights[j] = (float) Math.exp(weights[j] - largest);
            sum += weights[j];
        }
        for (int j = 0; j < count; j++) {
            weights[j] /= sum;
        }
        return weights;
    }

    public static float[] attend(float[] query, Sample keys, Sample values, int head, int count, float scale) {
        int headDim = query.length;
        int from = head * keys.extent(1) * headDim;
        float[] weights = weights(query, keys.values(), from, count, scale);
        float[] sum = new float[headDim];
        for (int j = 0; j < count; j++) {
            for (int e = 0; e < headDim; e++) {
                sum[e] += weights[j] * values.values()[from + j * headDim + e];
            }
        }
        return sum;
    }
}
