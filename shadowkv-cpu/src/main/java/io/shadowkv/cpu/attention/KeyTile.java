package io.shadowkv.cpu.attention;

import io.shadowkv.cpu.vector.DotTile;
import io.shadowkv.cpu.vector.FloatRows;
import io.shadowkv.cpu.vector.Scratch;
import io.shadowkv.cpu.vector.Scratch.Use;
import io.shadowkv.cpu.vector.VectorMath;
import java.util.Arrays;
import java.util.List;

/// Reads keys or values of one head one tile at a time and widens them once for all queries of a
/// group.
public final class KeyTile {
    /// Rows per tile: 32 rows of 128 floats fill half of the first-level cache.
    private static final int ROWS = 32;

    private final FloatRows rows;
    private final int headDim;
    private final int padded;
    private final float[] tile;

    public KeyTile(FloatRows rows, int headDim, Scratch scratch) {
        this.rows = rows;
        this.headDim = headDim;
        padded = DotTile.padded(headDim);
        tile = scratch.floats(Use.TILE, ROWS * padded);
    }

    /// `scores[g * stride + j] = queries[g] · row j` for all queries of the group, where j counts
    /// the rows of all spans.
    ///
    /// @param first row of the tensor, counted over all heads, at which the spans' rows start
    /// @param queries `[groupSize, padded head dim]`
    public void score(long first, List<Span> spans, float[] queries, int groupSize, Scores scores) {
        int count = count(spans);
        for (int g = 0; g < groupSize; g++) {
            Arrays.fill(scores.values, g * scores.stride, g * scores.stride + count, 0);
        }
        var dots = new DotTile(queries, padded, tile, padded, scores.values, scores.stride);
        var cursor = new Cursor(first, spans);
        for (int from = 0; from < count; from += ROWS) {
            int length = Math.min(ROWS, count - from);
            cursor.load(length);
            dots.addDots(0, groupSize, length, padded, from);
        }
    }

    /// `sums[g] += weights[g * stride + j] * row j` for all queries of the group, where j counts
    /// the rows of all spans.
    ///
    /// @param sums `[groupSize, padded head dim]`
    void addWeighted(long first, List<Span> spans, Scores weights, int groupSize, float[] sums) {
        int count = count(spans);
        var dots = new DotTile(sums, padded, tile, padded, weights.values, weights.stride);
        var cursor = new Cursor(first, spans);
        for (int from = 0; from < count; from += ROWS) {
            int length = Math.min(ROWS, count - from);
            cursor.load(length);
            dots.addWeighted(groupSize, length, padded, from);
        }
    }

    private static int count(List<Span> spans) {
        return spans.stream().mapToInt(Span::count).sum();
    }

    private void load(long first, int at, int count) {
        if (padded == headDim) {
            rows.load(first * headDim, tile, at * padded, count * headDim);
            return;
        }
        for (int j = 0; j < count; j++) {
            rows.loadPadded((first + j) * headDim, tile, (at + j) * padded, headDim, padded);
        }
    }

    /// Rows `from` to `from + count` (exclusive).
    public record Span(int from, int count) {}

    /// Iterates over the rows of spans, one tile at a time.
    private final class Cursor {
        private final long first;
        private final List<Span> spans;
        private int span;
        private int done;

        Cursor(long first, List<Span> spans) {
            this.first = first;
            this.spans = spans;
        }

        /// Fills the tile with the next `count` rows.
        void load(int count) {
            int loaded = 0;
            while (loaded < count) {
                Span current = spans.get(span);
                int length = Math.min(count - loaded, current.count - done);
                KeyTile.this.load(first + current.from + done, loaded, length);
                loaded += length;
                done += length;
                if (done == current.count) {
                    span++;
                    done = 0;
                }
            }
        }
    }

    /// One row of scores for each query of a group, `stride` apart.
    public record Scores(float[] values, int stride) {}

    /// The group's queries, padded and multiplied by `scale`.
    public static float[] queries(
            FloatRows source, long from, int groupSize, int headDim, float scale, Scratch scratch) {
        int padded = DotTile.padded(headDim);
        float[] queries = scratch.floats(Use.ROW, groupSize * padded);
        for (int g = 0; g < groupSize; g++) {
            source.loadPadded(from + (long) g * headDim, queries, g * padded, headDim, padded);
        }
        VectorMath.scale(scale, queries, 0, groupSize * padded);
        return queries;
    }
}
