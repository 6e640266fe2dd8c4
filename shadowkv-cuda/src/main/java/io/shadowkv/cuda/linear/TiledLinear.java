package io.shadowkv.cuda.linear;

import io.shadowkv.cuda.device.Grid;
import io.shadowkv.cuda.device.Kernel;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.KernelTypes;
import io.shadowkv.cuda.launch.PerQueue;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Projections of a few rows by quantised weights of one format: `linear_tiled.cu`, which needs
/// Hopper. One launch multiplies the rows by several matrices and adds biases and a target.
/// Thread-safe; each queue has its own work space.
final class TiledLinear {
    static final int MOST_ROWS = 64;

    private static final int MOST_MATRICES = 4;
    private static final int MATRIX_BYTES = 40;
    private static final int ALIGNMENT = 16;
    private static final int MOST_TILES = 16_384;
    /// Outputs of a tile if one product gates the other.
    private static final int GATED_TILE = TileFormat.ROWS / 2;

    /// Threads of a block that multiply, and those that copy.
    private static final int MULTIPLIERS = 256;

    private static final int COPIERS = 32;
    private static final int MOST_STAGES = 8;
    private static final int LEAST_STAGES = 2;
    /// Bytes of shared memory left free: for barriers and sums, and for blocks of small kernels on the
    /// same multiprocessor.
    private static final int LEFT_FREE = 8192;
    /// Numbers of tiles of 8 rows that the kernel is compiled for.
    private static final int[] ROW_TILES = {1, 2, 3, 4, 6, 8};

    private final CudaParts parts;
    private final PerQueue<Tensor[]> workspaces;

    TiledLinear(CudaParts parts) {
        this.parts = parts;
        this.workspaces = new PerQueue<>(queue -> new Tensor[] {
            parts.workScope()
                    .allocate(DType.F32, 2 * parts.context().allMultiprocessors(), MULTIPLIERS * MOST_ROWS / 2),
            parts.workScope().allocate(DType.I32, MOST_TILES)
        });
    }

    /// True if the kernel supports these, for up to [#MOST_ROWS] rows at a time: rows of a 16-bit type,
    /// outputs of that type or F32, aligned, weights of one format.
    boolean serves(Tensor x, List<TiledWeight> weights, List<@Nullable Tensor> biases, List<Tensor> outs) {
        DType type = x.dtype();
        DType outType = outs.getFirst().dtype();
        TiledWeight first = weights.getFirst();
        if (!parts.context().isHopper()
                || !(type == DType.BF16 || type == DType.F16)
                || !(outType == type || outType == DType.F32)
                || weights.size() > MOST_MATRICES
                || first.inputs() % (ALIGNMENT / type.bytes()) != 0
                || parts.context().address(x) % ALIGNMENT != 0) {
            return false;
        }
        int tiles = 0;
        for (int i = 0; i < weights.size(); i++) {
            TiledWeight weight = weights.get(i);
            Tensor bias = biases.get(i);
            if (!weight.tiles().equals(first.tiles())
                    || weight.inputs() != first.inputs()
                    || outs.get(i).dtype() != outType
                    || (bias != null && bias.dtype() != type)) {
                return false;
            }
            // At most: a gate has twice as many.
            tiles += 2 * TileFormat.tiles(weight.outputs());
        }
        return tiles <= MOST_TILES && stages(first.tiles(), MOST_ROWS / 8, false) >= LEAST_STAGES;
    }

    /// True if [#runGated] is worth it for so many rows at a time: with two stages only, two products
    /// are faster.
    boolean servesGated(TileFormat format, int rows) {
        return stages(format, rowTiles(Math.min(rows, MOST_ROWS)), true) > LEAST_STAGES;
    }

    /// Stages of the ring in shared memory. A gate exchanges the sums of 64 outputs.
    private int stages(TileFormat format, int rowTiles, boolean isGated) {
        int exchange = isGated ? GATED_TILE * 8 * rowTiles * Float.BYTES : 0;
        int free = parts.context().sharedBytesPerBlock() - LEFT_FREE - exchange;
        return Math.min(MOST_STAGES, free / stageBytes(format, rowTiles));
    }

    /// An image and the rows of x, whose distance avoids bank conflicts.
    private static int stageBytes(TileFormat format, int rowTiles) {
        return format.imageBytes() + 8 * rowTiles * (TileFormat.COLUMNS * 2 + (format.isSplit() ? 32 : 64));
    }

    private static int rowTiles(int rows) {
        for (int tiles : ROW_TILES) {
            if (rows <= 8 * tiles) {
                return tiles;
            }
        }
        throw new IllegalArgumentException(rows + " rows; the kernel multiplies at most " + MOST_ROWS);
    }

    /// `outs[i] = x · weights[i]ᵀ + biases[i] + addend`.
    ///
    /// @param x `[rows, inputs]`
    /// @param addend of the type and shape of each of `outs`, or null; may be the output
    void run(
            Tensor x,
            List<TiledWeight> weights,
            List<@Nullable Tensor> biases,
            @Nullable Tensor addend,
            List<Tensor> outs) {
        run(x, weights, biases, addend, outs, false);
    }

    /// `out = silu(gate) * up`, where gate and up are the products with two weights of as many outputs
    /// plus their biases, not rounded.
    void runGated(Tensor x, List<TiledWeight> weights, List<@Nullable Tensor> biases, Tensor out) {
        run(x, weights, biases, null, List.of(out, out), true);
    }

    private void run(
            Tensor x,
            List<TiledWeight> weights,
            List<@Nullable Tensor> biases,
            @Nullable Tensor addend,
            List<Tensor> outs,
            boolean isGated) {
        TiledWeight first = weights.getFirst();
        TileFormat format = first.tiles();
        int inputs = first.inputs();
        int rows = Math.toIntExact(x.elements() / inputs);
        int rowTiles = rowTiles(rows);
        int stages = stages(format, rowTiles, isGated);
        Kernel kernel = parts.kernel(format.kernel("linear_tiled.cu", "linearTiled")
                .with("ACT", KernelTypes.name(x.dtype()))
                .with("OUT", KernelTypes.name(outs.getFirst().dtype()))
                .with("ROW_TILES", rowTiles)
                .with("STAGES", stages)
                .with("GATED", isGated ? 1 : 0));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment matrices = arena.allocate((long) MOST_MATRICES * MATRIX_BYTES, 8);
            int tiles = 0;
            for (int i = 0; i < weights.size(); i++) {
                MemorySegment matrix = matrices.asSlice((long) i * MATRIX_BYTES, MATRIX_BYTES);
                matrix.set(ValueLayout.JAVA_LONG, 0, address(weights.get(i).images()));
                matrix.set(ValueLayout.JAVA_LONG, 8, address(biases.get(i)));
                matrix.set(ValueLayout.JAVA_LONG, 16, address(addend));
                matrix.set(ValueLayout.JAVA_LONG, 24, address(outs.get(i)));
                matrix.set(ValueLayout.JAVA_INT, 32, weights.get(i).outputs());
                matrix.set(ValueLayout.JAVA_INT, 36, tiles);
                tiles += TileFormat.tiles(weights.get(i).outputs());
            }
            tiles = isGated ? Math.ceilDiv(first.outputs(), GATED_TILE) : tiles;
            Tensor[] workspace = workspaces.of(parts.queue());
            long steps = (long) tiles * TileFormat.imagesOfRow(inputs);
            // The smallest number of blocks at which the longest block has the same work, so that
            // fewer parts of tiles must be added.
            long stepsPerBlock = Math.ceilDiv(steps, parts.context().multiprocessors());
            Grid grid = Grid.of(Math.ceilDiv(steps, stepsPerBlock), MULTIPLIERS + COPIERS)
                    .withShared(stages * stageBytes(format, rowTiles));
            kernel.launchEarly(
                    parts.queue(), grid, matrices, weights.size(), tiles, x, rows, inputs, workspace[0], workspace[1]);
        }
    }

    private long address(@Nullable Tensor tensor) {
        return tensor == null ? 0 : parts.context().address(tensor);
    }
}
