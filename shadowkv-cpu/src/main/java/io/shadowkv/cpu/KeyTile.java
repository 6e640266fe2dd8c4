package io.shadowkv.cpu;

import io.shadowkv.cpu.Scratch.Use;
import java.util.Arrays;

/// Reads keys or values of one head a tile at a time, widened once for all queries of a group.
final class KeyTile {
    /// Rows of a tile: 32 of 128 floats are half of the first-level cache.
    private static final int ROWS = 32;

    private final FloatRows rows;
    private final int headDim;
    private final int padded;
    private final float[] tile;

    KeyTile(FloatRows rows, int headDim, Scratch scratch) {
        this.rows = rows;
        this.headDim = headDim;
        padded = DotTile.padded(headDim);
        tile = scratch.floats(Use.TILE, ROWS * padded);
    }

    /// `scores[g * stride + j] = queries[g] · row[first + j]` for `count` rows and all queries of the group.
    ///
    /// @param first row of the tensor, counted over all heads
    /// @param queries [groupSize, padded head dim]
    void score(long first, int count, float[] queries, int groupSize, Scores scores) {
        for (int g = 0; g < groupSize; g++) {
            Arrays.fill(scores.values, g * scores.stride, g * scores.stride + count, 0);
        }
        var dots = new DotTile(queries, padded, tile, padded, scores.values, scores.stride);
        for (int from = 0; from < count; from += ROWS) {
            int length = Math.min(ROWS, count - from);
            load(first + from, length);
            dots.addDots(0, groupSize, length, padded, from);
        }
    }

    /// `sums[g] += weights[g * stride + j] * row[first + j]` for `count` rows and all queries of the group.
    ///
    /// @param sums [groupSize, padded head dim]
    void addWeighted(long first, int count, Scores weights, int groupSize, float[] sums) {
        var dots = new DotTile(sums, padded, tile, padded, weights.values, weights.stride);
        for (int from = 0; from < count; from += ROWS) {
            int length = Math.min(ROWS, count - from);
            load(first + from, length);
            dots.addWeighted(groupSize, length, padded, from);
        }
    }

    private void load(long first, int count) {
        if (padded == headDim) {
            rows.load(first * headDim, tile, 0, count * headDim);
            return;
        }
        for (int j = 0; j < count; j++) {
            rows.loadPadded((first + j) * headDim, tile, j * padded, headDim, padded);
        }
    }

    /// One row of scores for each query of a group, `stride` apart.
    record Scores(float[] values, int stride) {}

    /// The group's queries, padded and multiplied by `scale`.
    static float[] queries(FloatRows source, long from, int groupSize, int headDim, float scale, Scratch scratch) {
        int padded = DotTile.padded(headDim);
        float[] queries = scratch.floats(Use.ROW, groupSize * padded);
        for (int g = 0; g < groupSize; g++) {
            source.loadPadded(from + (long) g * headDim, queries, g * padded, headDim, padded);
        }
        VectorMath.scale(scale, queries, 0, groupSize * padded);
        return queries;
    }
}
