package io.shadowkv.cpu.eigen;

import io.shadowkv.cpu.linear.MicroKernel;
import io.shadowkv.cpu.vector.FloatRows;
import io.shadowkv.cpu.vector.Scratch;
import io.shadowkv.cpu.vector.Scratch.Use;
import io.shadowkv.cpu.vector.VectorMath;
import io.shadowkv.cpu.vector.WorkerPool;
import java.util.Arrays;

/// `gram += keysᵀ · keys`: multiplies only the panels of columns on and above the diagonal and
/// mirrors them to the rest.
public final class Gram {
    /// Tokens per block; the sum over a block is computed in float before it is added.
    private static final int BLOCK_TOKENS = 512;
    private static final int PANEL = MicroKernel.PANEL;

    private final WorkerPool pool;
    private float[] packed = new float[0];

    public Gram(WorkerPool pool) {
        this.pool = pool;
    }

    /// @param keys `[tokens, width]`
    /// @param gram `[width, width]`, in place
    public void accumulate(FloatRows keys, int tokens, int width, FloatRows gram) {
        int panels = Math.ceilDiv(width, PANEL);
        int needed = Math.multiplyExact(panels * PANEL, Math.min(BLOCK_TOKENS, tokens));
        if (packed.length < needed) {
            packed = new float[needed];
        }
        for (int from = 0; from < tokens; from += BLOCK_TOKENS) {
            int depth = Math.min(BLOCK_TOKENS, tokens - from);
            pack(keys, from, depth, width);
            pool.each(panels * (panels + 1) / 2, (pair, scratch) -> {
                int column = (int) ((Math.sqrt(8.0 * pair + 1) - 1) / 2);
                int row = pair - column * (column + 1) / 2;
                addPair(row, column, depth, width, gram, scratch);
            });
        }
    }

    /// Packs keys as `[panel][depth][PANEL]`; the columns that pad the last panel are zero.
    private void pack(FloatRows keys, int from, int depth, int width) {
        float[] target = packed;
        pool.ranges(depth, 32, (first, last, scratch) -> {
            for (int t = first; t < last; t++) {
                for (int e = 0; e < width; e += PANEL) {
                    int at = e * depth + t * PANEL;
                    int length = Math.min(PANEL, width - e);
                    keys.load((long) (from + t) * width + e, target, at, length);
                    Arrays.fill(target, at + length, at + PANEL, 0);
                }
            }
        });
    }

    private void addPair(int rowPanel, int columnPanel, int depth, int width, FloatRows gram, Scratch scratch) {
        float[] tile = scratch.floats(Use.SUMS, PANEL * PANEL);
        Arrays.fill(tile, 0, PANEL * PANEL, 0);
        var kernel = new MicroKernel(packed, packed, tile);
        for (int i = 0; i < PANEL; i += MicroKernel.ROWS) {
            kernel.columns(rowPanel * PANEL * depth + i, columnPanel * PANEL * depth, i * PANEL, PANEL, depth);
        }
        addTile(tile, rowPanel, columnPanel, width, gram, scratch);
        if (rowPanel != columnPanel) {
            float[] mirror = scratch.floats(Use.SCORES, PANEL * PANEL);
            for (int i = 0; i < PANEL * PANEL; i++) {
                mirror[i % PANEL * PANEL + i / PANEL] = tile[i];
            }
            addTile(mirror, columnPanel, rowPanel, width, gram, scratch);
        }
    }

    private static void addTile(
            float[] tile, int rowPanel, int columnPanel, int width, FloatRows gram, Scratch scratch) {
        float[] row = scratch.floats(Use.ROW, PANEL);
        int rows = Math.min(PANEL, width - rowPanel * PANEL);
        int columns = Math.min(PANEL, width - columnPanel * PANEL);
        for (int i = 0; i < rows; i++) {
            long at = (long) (rowPanel * PANEL + i) * width + (long) columnPanel * PANEL;
            gram.load(at, row, 0, columns);
            VectorMath.addScaled(1, tile, i * PANEL, row, 0, columns);
            gram.store(row, 0, at, columns);
        }
    }
}
