package io.shadowkv.cpu;

import io.shadowkv.cpu.Scratch.Use;

/// Reads keys or values of one head a tile at a time, widened once for all queries of a group.
final class KeyTile {
    /// Rows of a tile: 32 of 128 floats are half of the first-level cache.
    static final int ROWS = 32;

    private final FloatRows rows;
    private final int headDim;
    private final float[] tile;

    KeyTile(FloatRows rows, int headDim, Scratch scratch) {
        this.rows = rows;
        this.headDim = headDim;
        tile = scratch.floats(Use.TILE, ROWS * headDim);
    }

    /// `scores[g * stride + j] = scale * queries[g] · row[first + j]` for `count` rows and all `groupSize` queries.
    ///
    /// @param first row of the tensor, counted over all heads
    void score(long first, int count, float[] queries, int groupSize, Scores scores) {
        for (int from = 0; from < count; from += ROWS) {
            int length = Math.min(ROWS, count - from);
            rows.load((first + from) * headDim, tile, 0, length * headDim);
            for (int g = 0; g < groupSize; g++) {
                for (int j = 0; j < length; j++) {
                    scores.values[g * scores.stride + from + j] =
                            VectorMath.dot(queries, g * headDim, tile, j * headDim, headDim);
                }
            }
        }
    }

    /// `sums[g] += weights[g * stride + j] * row[first + j]` for `count` rows and all `groupSize` queries.
    void addWeighted(long first, int count, Scores weights, int groupSize, float[] sums) {
        for (int from = 0; from < count; from += ROWS) {
            int length = Math.min(ROWS, count - from);
            rows.load((first + from) * headDim, tile, 0, length * headDim);
            for (int g = 0; g < groupSize; g++) {
                for (int j = 0; j < length; j++) {
                    float weight = weights.values[g * weights.stride + from + j];
                    VectorMath.addScaled(weight, tile, j * headDim, sums, g * headDim, headDim);
                }
            }
        }
    }

    /// One row of scores for each query of a group, `stride` apart.
    record Scores(float[] values, int stride) {}
}
