package io.shadowkv.cpu.linear;

import io.shadowkv.cpu.vector.FloatRows;
import io.shadowkv.cpu.vector.Scratch;
import io.shadowkv.cpu.vector.Scratch.Use;
import io.shadowkv.cpu.vector.WorkerPool;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// `out = x · weightᵀ + bias` for many rows of x.
///
/// The lanes of a vector are rows of x, which are packed once into panels. Weights stay as the
/// checkpoint stores them and are decoded eight rows at a time into the first-level cache, where
/// [MicroKernel] broadcasts them. Nothing as large as the weights is transposed or copied.
final class Gemm {
    /// Rows of x that are packed at a time: with [MicroKernel#DEPTH] they fill half of a 1 MiB
    /// second-level cache.
    private static final int BLOCK_ROWS = 512;
    private static final int MAX_TILE_OUTPUTS = 64;
    private static final int TASKS_PER_THREAD = 4;

    private final WorkerPool pool;
    private float[] packed = new float[0];

    Gemm(WorkerPool pool) {
        this.pool = pool;
    }

    /// @param sizes rows, inputs and outputs
    void multiply(FloatRows x, WeightRows weight, @Nullable FloatRows bias, FloatRows out, Sizes sizes) {
        for (int from = 0; from < sizes.rows; from += BLOCK_ROWS) {
            var block = new Block(from, Math.min(BLOCK_ROWS, sizes.rows - from), sizes);
            pack(x, block);
            int share = Math.ceilDiv(sizes.outputs, pool.threads() * TASKS_PER_THREAD);
            int tile = Math.min(MAX_TILE_OUTPUTS, Math.ceilDiv(share, MicroKernel.ROWS) * MicroKernel.ROWS);
            pool.ranges(sizes.outputs, tile, (first, last, scratch) -> {
                float[] sums = sums(weight, block, first, last, scratch);
                write(sums, block, bias, out, first, last, scratch);
            });
        }
    }

    /// Packs rows as `[depth block][panel][depth][PANEL]`; the rows that pad the last panel are
    /// zero.
    private void pack(FloatRows x, Block block) {
        int needed = Math.multiplyExact(block.paddedRows(), block.sizes.inputs);
        if (packed.length < needed) {
            packed = new float[needed];
        }
        float[] target = packed;
        pool.each(block.panels(), (panel, scratch) -> {
            float[] row = scratch.floats(Use.ROW, MicroKernel.DEPTH);
            for (int k = 0; k < block.sizes.inputs; k += MicroKernel.DEPTH) {
                int depth = Math.min(MicroKernel.DEPTH, block.sizes.inputs - k);
                int at = block.panelAt(panel, k, depth);
                for (int r = 0; r < MicroKernel.PANEL; r++) {
                    int index = panel * MicroKernel.PANEL + r;
                    if (index < block.count) {
                        x.load((long) (block.from + index) * block.sizes.inputs + k, row, 0, depth);
                    } else {
                        Arrays.fill(row, 0, depth, 0);
                    }
                    spread(row, target, at + r, depth);
                }
            }
        });
    }

    private static void spread(float[] row, float[] target, int at, int depth) {
        for (int k = 0; k < depth; k++) {
            target[at + k * MicroKernel.PANEL] = row[k];
        }
    }

    /// Products of outputs `first` to `last` (exclusive) with the rows of the block,
    /// `[group of outputs][panel][ROWS][PANEL]`.
    private float[] sums(WeightRows weight, Block block, int first, int last, Scratch scratch) {
        int groups = Math.ceilDiv(last - first, MicroKernel.ROWS);
        float[] sums = scratch.floats(Use.SUMS, MAX_TILE_OUTPUTS * block.paddedRows());
        float[] rows = scratch.floats(Use.BROADCAST_ROWS, MicroKernel.ROWS * MicroKernel.ROW_STRIDE);
        Arrays.fill(sums, 0, groups * MicroKernel.ROWS * block.paddedRows(), 0);
        var kernel = new MicroKernel(rows, packed, sums);
        int inputs = block.sizes.inputs;
        for (int k = 0; k < inputs; k += MicroKernel.DEPTH) {
            int depth = Math.min(MicroKernel.DEPTH, inputs - k);
            for (int o = first; o < last; o += MicroKernel.ROWS) {
                for (int i = 0; i < Math.min(MicroKernel.ROWS, last - o); i++) {
                    weight.load(o + i, k, rows, i * MicroKernel.ROW_STRIDE, depth);
                }
                for (int panel = 0; panel < block.panels(); panel++) {
                    int c = block.tileAt((o - first) / MicroKernel.ROWS, panel);
                    kernel.rows(0, block.panelAt(panel, k, depth), c, MicroKernel.PANEL, depth);
                }
            }
        }
        return sums;
    }

    /// Converts tiles to rows, one panel of rows at a time, so that both stay in the first-level
    /// cache.
    private static void write(
            float[] sums, Block block, @Nullable FloatRows bias, FloatRows out, int first, int last, Scratch scratch) {
        int width = last - first;
        float[] rows = scratch.floats(Use.ROW, MicroKernel.PANEL * MAX_TILE_OUTPUTS);
        float[] biases = scratch.floats(Use.SECOND_ROW, width);
        Arrays.fill(biases, 0, width, 0);
        if (bias != null) {
            bias.load(first, biases, 0, width);
        }
        for (int panel = 0; panel < block.panels(); panel++) {
            for (int o = 0; o < width; o++) {
                int tile = block.tileAt(o / MicroKernel.ROWS, panel) + o % MicroKernel.ROWS * MicroKernel.PANEL;
                for (int r = 0; r < MicroKernel.PANEL; r++) {
                    rows[r * MAX_TILE_OUTPUTS + o] = sums[tile + r] + biases[o];
                }
            }
            int firstRow = panel * MicroKernel.PANEL;
            for (int r = 0; r < Math.min(MicroKernel.PANEL, block.count - firstRow); r++) {
                long row = (long) block.from + firstRow + r;
                out.store(rows, r * MAX_TILE_OUTPUTS, row * block.sizes.outputs + first, width);
            }
        }
    }

    /// Extents of a product: x is `[rows, inputs]`, the weights are `[outputs, inputs]`.
    record Sizes(int rows, int inputs, int outputs) {}

    /// Rows `from` to `from + count` (exclusive) of x, and their panels.
    private record Block(int from, int count, Sizes sizes) {
        int panels() {
            return Math.ceilDiv(count, MicroKernel.PANEL);
        }

        int paddedRows() {
            return panels() * MicroKernel.PANEL;
        }

        int tileAt(int group, int panel) {
            return (group * panels() + panel) * MicroKernel.ROWS * MicroKernel.PANEL;
        }

        int panelAt(int panel, int k, int depth) {
            return k * paddedRows() + panel * depth * MicroKernel.PANEL;
        }
    }
}
