package io.shadowkv.cuda;

import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Projections of a few rows by `linear_skinny.cu`: one launch for all matrices that the same rows are multiplied by,
/// with bias and addition to a target. Thread-safe; each queue has work space of its own.
final class SkinnyLinear {
    static final int MOST_ROWS = 64;
    static final int MOST_MATRICES = 4;

    private static final int THREADS = 256;
    private static final int WARPS = THREADS / 32;
    private static final int STAGES = 4;
    private static final int MATRIX_BYTES = 40;
    private static final int ALIGNMENT = 16;
    private static final int MOST_TILES = 16_384;
    /// Elements of a tile's sums, at most.
    private static final int MOST_PARTIAL = 2 * 16 * WARPS * MOST_ROWS;

    private final CudaParts parts;
    private final PerQueue<Tensor[]> workspaces;

    SkinnyLinear(CudaParts parts) {
        this.parts = parts;
        this.workspaces = new PerQueue<>(queue -> new Tensor[] {
            parts.workScope().allocate(DType.F32, 2 * parts.context().multiprocessors(), MOST_PARTIAL),
            parts.workScope().allocate(DType.I32, MOST_TILES)
        });
    }

    /// True if the kernel takes these: one 16-bit type everywhere, few rows, aligned.
    boolean serves(Tensor x, List<Tensor> weights, List<@Nullable Tensor> biases, List<Tensor> outs) {
        DType type = x.dtype();
        int inputs = weights.getFirst().extent(1);
        long rows = x.elements() / inputs;
        if (!(type == DType.BF16 || type == DType.F16)
                || weights.size() > MOST_MATRICES
                || rows > MOST_ROWS
                || inputs % (ALIGNMENT / type.bytes()) != 0
                || Sizes.of((int) rows).sharedBytes() > parts.context().sharedBytesPerBlock()
                || !isAligned(x)) {
            return false;
        }
        int tiles = 0;
        for (int i = 0; i < weights.size(); i++) {
            Tensor weight = weights.get(i);
            Tensor bias = biases.get(i);
            if (weight.dtype() != type
                    || weight.extent(1) != inputs
                    || !isAligned(weight)
                    || outs.get(i).dtype() != type
                    || (bias != null && bias.dtype() != type)) {
                return false;
            }
            tiles += Math.ceilDiv(weight.extent(0), Sizes.of((int) rows).tile());
        }
        return tiles <= MOST_TILES;
    }

    private boolean isAligned(Tensor tensor) {
        return parts.context().address(tensor) % ALIGNMENT == 0;
    }

    /// `outs[i] = x · weights[i]ᵀ + biases[i] + addend`.
    ///
    /// @param addend as each of `outs`, or null; may be the output
    void run(
            Tensor x, List<Tensor> weights, List<@Nullable Tensor> biases, @Nullable Tensor addend, List<Tensor> outs) {
        int inputs = weights.getFirst().extent(1);
        int rows = Math.toIntExact(x.elements() / inputs);
        Sizes sizes = Sizes.of(rows);
        Kernel kernel = parts.kernel(KernelSource.of("linear_skinny.cu", "linearSkinny")
                .with("ACT", KernelTypes.name(x.dtype()))
                .with("ROW_TILES", sizes.rowTiles()));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment matrices = arena.allocate((long) MOST_MATRICES * MATRIX_BYTES, 8);
            int tiles = 0;
            for (int i = 0; i < weights.size(); i++) {
                MemorySegment matrix = matrices.asSlice((long) i * MATRIX_BYTES, MATRIX_BYTES);
                matrix.set(ValueLayout.JAVA_LONG, 0, address(weights.get(i)));
                matrix.set(ValueLayout.JAVA_LONG, 8, address(biases.get(i)));
                matrix.set(ValueLayout.JAVA_LONG, 16, address(addend));
                matrix.set(ValueLayout.JAVA_LONG, 24, address(outs.get(i)));
                matrix.set(ValueLayout.JAVA_INT, 32, weights.get(i).extent(0));
                matrix.set(ValueLayout.JAVA_INT, 36, tiles);
                tiles += Math.ceilDiv(weights.get(i).extent(0), sizes.tile());
            }
            Tensor[] workspace = workspaces.of(parts.queue());
            long steps = (long) tiles * Math.ceilDiv(inputs, sizes.slab());
            // No more blocks than keep the longest block's work the same: fewer parts of tiles to add up.
            long stepsPerBlock = Math.ceilDiv(steps, parts.context().multiprocessors());
            Grid grid = Grid.of(Math.ceilDiv(steps, stepsPerBlock), THREADS).withShared(sizes.sharedBytes());
            kernel.launchEarly(
                    parts.queue(), grid, matrices, weights.size(), tiles, x, rows, inputs, workspace[0], workspace[1]);
        }
    }

    private long address(@Nullable Tensor tensor) {
        return tensor == null ? 0 : parts.context().address(tensor);
    }

    /// The kernel's constants for a number of rows.
    ///
    /// @param tile rows of a weight that a block computes at a time
    /// @param slab columns of a step
    private record Sizes(int rowTiles, int tile, int slab) {
        private static final int TWO_WARP_TILES_FROM = 5;

        static Sizes of(int rows) {
            int rowTiles = Math.max(1, Math.ceilDiv(rows, 8));
            int warpTiles = rowTiles >= TWO_WARP_TILES_FROM ? 2 : 1;
            return new Sizes(rowTiles, WARPS * 16 * warpTiles, 128 / warpTiles);
        }

        int sharedBytes() {
            return STAGES * (tile + 8 * rowTiles) * slab * 2;
        }
    }
}
