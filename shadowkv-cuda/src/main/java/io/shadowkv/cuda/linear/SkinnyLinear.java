package io.shadowkv.cuda.linear;

import io.shadowkv.cuda.device.Grid;
import io.shadowkv.cuda.device.Kernel;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.PerQueue;
import io.shadowkv.cuda.launch.TileMap;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Projections of a few rows by this project's kernels: `linear_streamed.cu` on Hopper,
/// `linear_skinny.cu` elsewhere. One launch multiplies the rows by several matrices and adds biases
/// and a target, or lets one product gate the other. Thread-safe; each queue has its own work
/// space.
final class SkinnyLinear {
    static final int MOST_ROWS = 64;
    static final int MOST_MATRICES = 4;

    private static final int MATRIX_BYTES = 40;
    private static final int ALIGNMENT = 16;
    private static final int MOST_TILES = 16_384;
    /// Maximum number of elements of a tile's sums.
    private static final int MOST_PARTIAL = 256 * MOST_ROWS;

    private final CudaParts parts;
    private final boolean isStreamed;
    private final PerQueue<Tensor[]> workspaces;

    SkinnyLinear(CudaParts parts) {
        this(parts, parts.context().isHopper());
    }

    /// @param isStreamed true for `linear_streamed.cu`, which needs Hopper
    SkinnyLinear(CudaParts parts, boolean isStreamed) {
        this.parts = parts;
        this.isStreamed = isStreamed;
        this.workspaces = new PerQueue<>(queue -> new Tensor[] {
            parts.workScope().allocate(DType.F32, 2 * parts.context().allMultiprocessors(), MOST_PARTIAL),
            parts.workScope().allocate(DType.I32, MOST_TILES)
        });
    }

    /// True if the kernel supports these: one 16-bit type, outputs of that type or F32, few rows,
    /// aligned.
    boolean serves(Tensor x, List<Tensor> weights, List<@Nullable Tensor> biases, List<Tensor> outs) {
        DType type = x.dtype();
        DType outType = outs.getFirst().dtype();
        int inputs = weights.getFirst().extent(1);
        long rows = x.elements() / inputs;
        if (!(type == DType.BF16 || type == DType.F16)
                || !(outType == type || outType == DType.F32)
                || weights.size() > MOST_MATRICES
                || rows > MOST_ROWS
                || inputs % (ALIGNMENT / type.bytes()) != 0
                || !isAligned(x)) {
            return false;
        }
        SkinnySizes sizes = sizes((int) rows, false);
        int tiles = 0;
        for (int i = 0; i < weights.size(); i++) {
            Tensor weight = weights.get(i);
            Tensor bias = biases.get(i);
            if (weight.dtype() != type
                    || weight.extent(1) != inputs
                    || !isAligned(weight)
                    || outs.get(i).dtype() != outType
                    || (bias != null && bias.dtype() != type)) {
                return false;
            }
            tiles += Math.ceilDiv(weight.extent(0), sizes.tile());
        }
        return tiles <= MOST_TILES && sizes.fits(parts.context().sharedBytesPerBlock());
    }

    /// True if [#runGated] supports these.
    boolean servesGated(Tensor x, List<Tensor> weights, List<@Nullable Tensor> biases, Tensor out) {
        return isStreamed
                && weights.getFirst().extent(0) == weights.getLast().extent(0)
                && weights.getFirst().extent(0) <= MOST_TILES * SkinnySizes.GATED_TILE
                && serves(x, weights, biases, List.of(out, out));
    }

    private boolean isAligned(Tensor tensor) {
        return parts.context().address(tensor) % ALIGNMENT == 0;
    }

    private SkinnySizes sizes(int rows, boolean isGated) {
        return isStreamed
                ? SkinnySizes.streamed(rows, isGated, parts.context().sharedBytesPerBlock())
                : SkinnySizes.skinny(rows);
    }

    /// `outs[i] = x · weights[i]ᵀ + biases[i] + addend`.
    ///
    /// @param addend of the type and shape of each of `outs`, or null; may be the output
    void run(
            Tensor x, List<Tensor> weights, List<@Nullable Tensor> biases, @Nullable Tensor addend, List<Tensor> outs) {
        run(x, weights, biases, addend, outs, false);
    }

    /// `out = silu(gate) * up`, where gate and up are the products with the two weights plus their
    /// biases, not rounded.
    void runGated(Tensor x, List<Tensor> weights, List<@Nullable Tensor> biases, Tensor out) {
        run(x, weights, biases, null, List.of(out, out), true);
    }

    private void run(
            Tensor x,
            List<Tensor> weights,
            List<@Nullable Tensor> biases,
            @Nullable Tensor addend,
            List<Tensor> outs,
            boolean isGated) {
        int inputs = weights.getFirst().extent(1);
        int rows = Math.toIntExact(x.elements() / inputs);
        SkinnySizes sizes = sizes(rows, isGated);
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
            tiles = isGated ? Math.ceilDiv(weights.getFirst().extent(0), SkinnySizes.GATED_TILE) : tiles;
            Tensor[] workspace = workspaces.of(parts.queue());
            long steps = (long) tiles * Math.ceilDiv(inputs, sizes.slab());
            // The smallest number of blocks at which the longest block has the same work, so that
            // fewer parts of tiles must be added.
            long stepsPerBlock = Math.ceilDiv(steps, parts.context().multiprocessors());
            Grid grid =
                    Grid.of(Math.ceilDiv(steps, stepsPerBlock), sizes.threads()).withShared(sizes.sharedBytes());
            Object[] arguments = {
                matrices, weights.size(), tiles, x, rows, inputs, workspace[0], workspace[1],
            };
            Kernel kernel = parts.kernel(sizes.kernel(x.dtype(), outs.getFirst().dtype(), isGated));
            if (isStreamed) {
                Object[] all = new Object[arguments.length + 1];
                all[0] = tileMaps(arena, x, weights, sizes);
                System.arraycopy(arguments, 0, all, 1, arguments.length);
                arguments = all;
            }
            kernel.launchEarly(parts.queue(), grid, arguments);
        }
    }

    /// Tensor maps of up to four weights, then of x.
    private MemorySegment tileMaps(Arena arena, Tensor x, List<Tensor> weights, SkinnySizes sizes) {
        int inputs = weights.getFirst().extent(1);
        MemorySegment maps = arena.allocate((MOST_MATRICES + 1L) * TileMap.BYTES, TileMap.ALIGNMENT);
        for (int i = 0; i < weights.size(); i++) {
            MemorySegment map = maps.asSlice((long) i * TileMap.BYTES, TileMap.BYTES);
            TileMap.writeMatrix(parts.context(), map, weights.get(i), inputs, SkinnySizes.GATED_TILE);
        }
        MemorySegment last = maps.asSlice((long) MOST_MATRICES * TileMap.BYTES, TileMap.BYTES);
        TileMap.writeMatrix(parts.context(), last, x, inputs, 8 * sizes.rowTiles());
        return maps;
    }

    private long address(@Nullable Tensor tensor) {
        return tensor == null ? 0 : parts.context().address(tensor);
    }
}
