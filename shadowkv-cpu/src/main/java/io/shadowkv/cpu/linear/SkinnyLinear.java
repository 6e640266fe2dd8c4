package io.shadowkv.cpu.linear;

import io.shadowkv.cpu.vector.DotTile;
import io.shadowkv.cpu.vector.FloatRows;
import io.shadowkv.cpu.vector.Scratch;
import io.shadowkv.cpu.vector.Scratch.Use;
import io.shadowkv.cpu.vector.WorkerPool;
import io.shadowkv.tensor.BlockWeight;
import io.shadowkv.tensor.GroupedWeight;
import io.shadowkv.tensor.PlacedWeight;
import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// `out = x · weightᵀ + bias` for a few rows of x: streams the weights once, which determines the
/// time.
final class SkinnyLinear {
    /// Maximum number of rows of x for which streaming is faster than packing.
    static final int MAX_ROWS = 8;

    private static final int TASKS_PER_THREAD = 4;
    private static final int MAX_TILE_OUTPUTS = 64;
    private static final int GROUP = 4;
    /// Inputs that are widened at a time: four rows of weights and eight of x fill three quarters
    /// of 32 KiB.
    private static final int DEPTH = 512;

    private final WorkerPool pool;
    private float[] inputs = new float[0];
    private float[] arranged = new float[0];

    SkinnyLinear(WorkerPool pool) {
        this.pool = pool;
    }

    void multiply(FloatRows x, Weight weight, @Nullable FloatRows bias, FloatRows out, Gemm.Sizes sizes) {
        load(x, weight, sizes);
        WeightRows rows = WeightRows.of(weight);
        int share = Math.ceilDiv(sizes.outputs(), pool.threads() * TASKS_PER_THREAD);
        int tile = Math.min(MAX_TILE_OUTPUTS, Math.ceilDiv(share, GROUP) * GROUP);
        pool.ranges(sizes.outputs(), tile, (first, last, scratch) -> {
            float[] sums = scratch.floats(Use.SUMS, sizes.rows() * MAX_TILE_OUTPUTS);
            Arrays.fill(sums, 0, sizes.rows() * MAX_TILE_OUTPUTS, 0);
            if (bias != null) {
                for (int r = 0; r < sizes.rows(); r++) {
                    bias.load(first, sums, r * MAX_TILE_OUTPUTS, last - first);
                }
            }
            if (isStreamed(weight, sizes)) {
                switch (weight) {
                    case Tensor plain -> new StreamedRows(plain).addDots(inputs, first, last, sums);
                    case BlockWeight blocks -> {
                        boolean isArranged = WideBlocks.supports(blocks.blocks());
                        BlockDots.of(blocks).addDots(isArranged ? arranged : inputs, first, last, sums);
                    }
                    case GroupedWeight _, PlacedWeight _ ->
                        throw new IllegalStateException("weights of " + weight.format() + " are not streamed");
                }
            } else {
                addProducts(rows, sizes, first, last, scratch);
            }
            for (int r = 0; r < sizes.rows(); r++) {
                out.store(sums, r * MAX_TILE_OUTPUTS, (long) r * sizes.outputs() + first, last - first);
            }
        });
    }

    private static boolean isStreamed(Weight weight, Gemm.Sizes sizes) {
        return sizes.rows() == 1
                && switch (weight) {
                    case Tensor plain -> StreamedRows.supports(plain.dtype());
                    case BlockWeight _ -> true;
                    case GroupedWeight _, PlacedWeight _ -> false;
                };
    }

    /// Rows of x, padded; a single row is arranged in the order in which [StreamedRows] reads plain
    /// weights.
    private void load(FloatRows x, Weight weight, Gemm.Sizes sizes) {
        int padded = DotTile.padded(sizes.inputs());
        if (inputs.length < sizes.rows() * padded) {
            inputs = new float[sizes.rows() * padded];
        }
        for (int r = 0; r < sizes.rows(); r++) {
            x.loadPadded((long) r * sizes.inputs(), inputs, r * padded, sizes.inputs(), padded);
        }
        if (isStreamed(weight, sizes) && weight instanceof Tensor plain) {
            StreamedRows.arrange(inputs, sizes.inputs(), plain.dtype());
        }
        if (isStreamed(weight, sizes) && weight instanceof BlockWeight blocks && WideBlocks.supports(blocks.blocks())) {
            int length = WideBlocks.arrangedLength(sizes.inputs());
            arranged = arranged.length < length ? new float[length] : arranged;
            WideBlocks.arrange(inputs, sizes.inputs(), blocks.blocks(), arranged);
        }
    }

    private void addProducts(WeightRows weight, Gemm.Sizes sizes, int first, int last, Scratch scratch) {
        float[] rows = scratch.floats(Use.BROADCAST_ROWS, GROUP * DEPTH);
        float[] sums = scratch.floats(Use.SUMS, sizes.rows() * MAX_TILE_OUTPUTS);
        var dots = new DotTile(inputs, DotTile.padded(sizes.inputs()), rows, DEPTH, sums, MAX_TILE_OUTPUTS);
        for (int o = first; o < last; o += GROUP) {
            int count = Math.min(GROUP, last - o);
            for (int k = 0; k < sizes.inputs(); k += DEPTH) {
                int depth = Math.min(DEPTH, sizes.inputs() - k);
                int padded = DotTile.padded(depth);
                for (int i = 0; i < count; i++) {
                    weight.loadPadded(o + i, k, rows, i * DEPTH, depth, padded);
                }
                dots.addDots(k, sizes.rows(), count, padded, o - first);
            }
        }
    }
}
