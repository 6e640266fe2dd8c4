package io.shadowkv.cpu;

import io.shadowkv.cpu.Scratch.Use;
import org.jspecify.annotations.Nullable;

/// `out = x · weightᵀ + bias` for a few rows of x: weights are streamed once, which is what it costs.
final class SkinnyLinear {
    /// Rows of x up to which streaming beats packing.
    static final int MAX_ROWS = 8;

    private static final int TASKS_PER_THREAD = 4;
    private static final int MAX_TILE_OUTPUTS = 64;
    private static final int GROUP = 4;
    /// Inputs that are widened at once: four rows of floats stay in the first-level cache.
    private static final int DEPTH = 1024;

    private final WorkerPool pool;
    private float[] inputs = new float[0];

    SkinnyLinear(WorkerPool pool) {
        this.pool = pool;
    }

    void multiply(FloatRows x, FloatRows weight, @Nullable FloatRows bias, FloatRows out, Gemm.Sizes sizes) {
        int elements = sizes.rows() * sizes.inputs();
        if (inputs.length < elements) {
            inputs = new float[elements];
        }
        x.load(0, inputs, 0, elements);
        int share = Math.ceilDiv(sizes.outputs(), pool.threads() * TASKS_PER_THREAD);
        int tile = Math.min(MAX_TILE_OUTPUTS, Math.ceilDiv(share, GROUP) * GROUP);
        pool.parts(sizes.outputs(), tile, (first, last, scratch) -> {
            float[] sums = scratch.floats(Use.SUMS, sizes.rows() * MAX_TILE_OUTPUTS);
            java.util.Arrays.fill(sums, 0, sizes.rows() * MAX_TILE_OUTPUTS, 0);
            if (bias != null) {
                for (int r = 0; r < sizes.rows(); r++) {
                    bias.load(first, sums, r * MAX_TILE_OUTPUTS, last - first);
                }
            }
            for (int o = first; o < last; o += GROUP) {
                addProducts(weight, sizes, o, Math.min(GROUP, last - o), sums, o - first, scratch);
            }
            for (int r = 0; r < sizes.rows(); r++) {
                out.store(sums, r * MAX_TILE_OUTPUTS, (long) r * sizes.outputs() + first, last - first);
            }
        });
    }

    private void addProducts(
            FloatRows weight, Gemm.Sizes sizes, int output, int count, float[] sums, int at, Scratch scratch) {
        float[] rows = scratch.floats(Use.BROADCAST_ROWS, GROUP * DEPTH);
        for (int k = 0; k < sizes.inputs(); k += DEPTH) {
            int depth = Math.min(DEPTH, sizes.inputs() - k);
            for (int i = 0; i < count; i++) {
                weight.load((long) (output + i) * sizes.inputs() + k, rows, i * DEPTH, depth);
            }
            for (int r = 0; r < sizes.rows(); r++) {
                for (int i = 0; i < count; i++) {
                    sums[r * MAX_TILE_OUTPUTS + at + i] +=
                            VectorMath.dot(inputs, r * sizes.inputs() + k, rows, i * DEPTH, depth);
                }
            }
        }
    }
}
