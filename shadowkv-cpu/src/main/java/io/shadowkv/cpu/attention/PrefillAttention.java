package io.shadowkv.cpu.attention;

import io.shadowkv.cpu.linear.MicroKernel;
import io.shadowkv.cpu.vector.FloatRows;
import io.shadowkv.cpu.vector.Scratch;
import io.shadowkv.cpu.vector.Scratch.Use;
import io.shadowkv.cpu.vector.WorkerPool;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;

/// Causal attention of many query rows, one tile at a time, with FlashAttention's online softmax
/// (arXiv 2205.14135).
///
/// The lanes of a vector are query rows: the tokens of a tile times the query heads that share a
/// key-value head. Keys and values are therefore widened once for all of them, the softmax needs no
/// sums across a vector, and [MicroKernel] computes both products:
/// `scores[key, row] = keys · queriesᵀ` and `sums[e, row] = valuesᵀ · weights`. One instance per
/// call.
final class PrefillAttention {
    /// Elements of the queries of a tile, and of its sums: each fills an eighth of a second-level
    /// cache of 1 MiB.
    private static final int TILE_ELEMENTS = 32 * 1024;
    /// Keys per tile.
    static final int TILE_KEYS = 64;

    private static final int PANEL = MicroKernel.PANEL;

    private final FloatRows queries;
    private final FloatRows keys;
    private final FloatRows values;
    private final FloatRows out;
    private final int tokens;
    private final int queryHeads;
    private final int kvHeads;
    private final int headDim;
    private final int groupSize;
    private final int capacity;
    private final int keyCount;
    private final float scale;
    private final int tileTokens;

    PrefillAttention(Tensor queries, Tensor keys, Tensor values, int keyCount, double scale, Tensor out) {
        this.queries = new FloatRows(queries);
        this.keys = new FloatRows(keys);
        this.values = new FloatRows(values);
        this.out = new FloatRows(out);
        this.keyCount = keyCount;
        // Scores are exponents of two: the factor turns e^x into 2^x at no cost.
        this.scale = (float) (scale / Math.log(2));
        tokens = queries.extent(0);
        queryHeads = queries.extent(1);
        headDim = queries.extent(2);
        kvHeads = keys.extent(0);
        capacity = keys.extent(1);
        groupSize = queryHeads / kvHeads;
        tileTokens = Math.max(1, TILE_ELEMENTS / (headDim * groupSize));
    }

    /// The last tiles read the most keys and run first, so that the tasks at the end are short.
    void run(WorkerPool pool) {
        int tiles = Math.ceilDiv(tokens, tileTokens);
        pool.each(tiles * kvHeads, (i, scratch) -> {
            int first = (tiles - 1 - i / kvHeads) * tileTokens;
            attend(i % kvHeads, first, Math.min(tileTokens, tokens - first), scratch);
        });
    }

    private void attend(int head, int firstToken, int tokenCount, Scratch scratch) {
        int rows = tokenCount * groupSize;
        int panels = Math.ceilDiv(rows, PANEL);
        float[] packed = packQueries(head, firstToken, rows, scratch);
        var softmax = new OnlineSoftmax(panels, headDim, scratch);
        int earlier = keyCount - tokens + firstToken + 1;
        softmax.limits(rows, groupSize, earlier);
        int end = earlier + tokenCount - 1;
        for (int from = 0; from < end; from += TILE_KEYS) {
            int count = Math.min(TILE_KEYS, end - from);
            scoreKeys(head, from, count, packed, softmax, scratch);
            softmax.weigh(from, count);
            addValues(head, from, count, softmax, scratch);
        }
        float[] row = scratch.floats(Use.ROW, headDim);
        for (int r = 0; r < rows; r++) {
            softmax.result(r, row);
            out.store(row, 0, rowAt(head, firstToken, r), headDim);
        }
    }

    /// Offset of row r of a tile in queries and output; a tile has the group's heads of each token
    /// in turn.
    private long rowAt(int head, int firstToken, int r) {
        long token = (long) firstToken + r / groupSize;
        return (token * queryHeads + (long) head * groupSize + r % groupSize) * headDim;
    }

    /// Packs queries as `[panel][headDim][PANEL]`, scaled; the rows that pad the last panel are
    /// zero.
    private float[] packQueries(int head, int firstToken, int rows, Scratch scratch) {
        int padded = Math.ceilDiv(rows, PANEL) * PANEL;
        float[] packed = scratch.floats(Use.PANELS, padded * headDim);
        float[] row = scratch.floats(Use.ROW, headDim);
        for (int r = 0; r < padded; r++) {
            if (r < rows) {
                queries.load(rowAt(head, firstToken, r), row, 0, headDim);
            } else {
                Arrays.fill(row, 0, headDim, 0);
            }
            int at = r / PANEL * PANEL * headDim + r % PANEL;
            for (int e = 0; e < headDim; e++) {
                packed[at + e * PANEL] = row[e] * scale;
            }
        }
        return packed;
    }

    private void scoreKeys(int head, int from, int count, float[] packed, OnlineSoftmax softmax, Scratch scratch) {
        float[] rows = scratch.floats(Use.BROADCAST_ROWS, MicroKernel.ROWS * MicroKernel.ROW_STRIDE);
        var kernel = new MicroKernel(rows, packed, softmax.scores());
        softmax.clearScores();
        for (int j = 0; j < count; j += MicroKernel.ROWS) {
            for (int k = 0; k < headDim; k += MicroKernel.DEPTH) {
                int depth = Math.min(MicroKernel.DEPTH, headDim - k);
                for (int i = 0; i < Math.min(MicroKernel.ROWS, count - j); i++) {
                    long row = (long) head * capacity + from + j + i;
                    keys.load(row * headDim + k, rows, i * MicroKernel.ROW_STRIDE, depth);
                }
                for (int panel = 0; panel < softmax.panels(); panel++) {
                    int b = (panel * headDim + k) * PANEL;
                    kernel.rows(0, b, softmax.scoresAt(panel) + j * PANEL, PANEL, depth);
                }
            }
        }
    }

    private void addValues(int head, int from, int count, OnlineSoftmax softmax, Scratch scratch) {
        int valuePanels = Math.ceilDiv(headDim, PANEL);
        float[] packed = scratch.floats(Use.VALUE_PANELS, valuePanels * TILE_KEYS * PANEL);
        for (int j = 0; j < count; j++) {
            long at = ((long) head * capacity + from + j) * headDim;
            for (int e = 0; e < headDim; e += PANEL) {
                values.load(at + e, packed, e * TILE_KEYS + j * PANEL, Math.min(PANEL, headDim - e));
            }
        }
        var kernel = new MicroKernel(packed, softmax.scores(), softmax.sums());
        for (int e = 0; e < headDim; e += MicroKernel.ROWS) {
            int a = e / PANEL * PANEL * TILE_KEYS + e % PANEL;
            for (int panel = 0; panel < softmax.panels(); panel++) {
                kernel.columns(a, softmax.scoresAt(panel), softmax.sumsAt(panel) + e * PANEL, PANEL, count);
            }
        }
    }
}
