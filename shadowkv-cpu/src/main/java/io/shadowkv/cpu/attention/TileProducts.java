package io.shadowkv.cpu.attention;

import io.shadowkv.cpu.linear.MicroKernel;
import io.shadowkv.cpu.vector.FloatRows;
import io.shadowkv.cpu.vector.Scratch;
import io.shadowkv.cpu.vector.Scratch.Use;

/// The two products of attention for a tile of query rows and a tile of keys:
/// `scores[key, row] = keys · queriesᵀ` and `sums[e, row] += valuesᵀ · weights`, computed by
/// [MicroKernel]. Thread-safe: what changes is in the thread's scratch.
final class TileProducts {
    /// Maximum number of keys per tile.
    static final int TILE_KEYS = 64;

    private static final int PANEL = MicroKernel.PANEL;

    private final int headDim;

    TileProducts(int headDim) {
        this.headDim = headDim;
    }

    /// Computes the scores of a tile.
    ///
    /// @param keys `[kvHeads, capacity, headDim]`
    /// @param firstRow row of the head's first key: the head times the capacity
    /// @param rows keys of the tile, counted from the head's first key
    /// @param packed queries as [QueryTiles#pack] packs them
    void scoreKeys(
            FloatRows keys,
            long firstRow,
            int[] rows,
            int count,
            float[] packed,
            OnlineSoftmax softmax,
            Scratch scratch) {
        float[] tile = scratch.floats(Use.BROADCAST_ROWS, MicroKernel.ROWS * MicroKernel.ROW_STRIDE);
        var kernel = new MicroKernel(tile, packed, softmax.scores());
        softmax.clearScores();
        for (int j = 0; j < count; j += MicroKernel.ROWS) {
            for (int k = 0; k < headDim; k += MicroKernel.DEPTH) {
                int depth = Math.min(MicroKernel.DEPTH, headDim - k);
                for (int i = 0; i < Math.min(MicroKernel.ROWS, count - j); i++) {
                    keys.load((firstRow + rows[j + i]) * headDim + k, tile, i * MicroKernel.ROW_STRIDE, depth);
                }
                for (int panel = 0; panel < softmax.panels(); panel++) {
                    int b = (panel * headDim + k) * PANEL;
                    kernel.rows(0, b, softmax.scoresAt(panel) + j * PANEL, PANEL, depth);
                }
            }
        }
    }

    /// Adds the values of the same keys, weighted.
    void addValues(FloatRows values, long firstRow, int[] rows, int count, OnlineSoftmax softmax, Scratch scratch) {
        int valuePanels = Math.ceilDiv(headDim, PANEL);
        float[] packed = scratch.floats(Use.VALUE_PANELS, valuePanels * TILE_KEYS * PANEL);
        for (int j = 0; j < count; j++) {
            long at = (firstRow + rows[j]) * headDim;
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
