package io.shadowkv.cuda.attention;

import io.shadowkv.cuda.device.Grid;
import io.shadowkv.cuda.device.Kernel;
import io.shadowkv.cuda.device.KernelSource;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.KernelTypes;
import io.shadowkv.cuda.launch.TileMap;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Set;

/// Causal attention of the rows of a prompt. On Hopper a kernel for its tensor cores serves the
/// head dims that it supports. A kernel for the tensor cores of all devices serves the others, and
/// a plain kernel serves all other types and head dims. Thread-safe.
final class PrefillAttention {
    private static final int PLAIN_WARPS = 4;
    private static final int PLAIN_LARGEST_HEAD_DIM = 1024;
    private static final int MMA_LARGEST_HEAD_DIM = 256;
    private static final Set<Integer> HOPPER_HEAD_DIMS = Set.of(64, 128, 256);
    static final int ALIGNMENT = 16;
    static final int HOPPER_THREADS = 384;
    /// The sizes of prefill_wgmma.cu's tiles.
    private static final int HOPPER_QUERIES = 128;

    private final CudaParts parts;

    PrefillAttention(CudaParts parts) {
        this.parts = parts;
    }

    /// @see io.shadowkv.op.AttentionOperations#prefill
    void run(Tensor queries, Tensor keys, Tensor values, int keyCount, double scale, Tensor out) {
        int t = queries.extent(0);
        if (t > keyCount || keyCount > keys.extent(1)) {
            throw new IllegalArgumentException(
                    "prefill attention of " + t + " tokens over " + keyCount + " keys of " + keys.extent(1)
                            + "; the number of keys must include these tokens and must not exceed the capacity");
        }
        if (t == 0) {
            return;
        }
        if (!fitsTensorCores(queries, keys, values, scale, out)) {
            plain(queries, keys, values, keyCount, scale, out);
        } else if (fitsHopper(queries.extent(2))) {
            onHopper(queries, keys, values, keyCount, scale, out);
        } else {
            onTensorCores(queries, keys, values, keyCount, scale, out);
        }
    }

    /// True if prefill_wgmma.cu runs on this device and supports the head dim.
    boolean fitsHopper(int headDim) {
        return parts.context().isHopper() && HOPPER_HEAD_DIMS.contains(headDim);
    }

    boolean fitsTensorCores(Tensor queries, Tensor keys, Tensor values, double scale, Tensor out) {
        DType dtype = queries.dtype();
        int headDim = queries.extent(2);
        return (dtype == DType.BF16 || dtype == DType.F16)
                && keys.dtype() == dtype
                && values.dtype() == dtype
                && out.dtype() == dtype
                && headDim % 16 == 0
                && headDim <= MMA_LARGEST_HEAD_DIM
                && scale > 0
                && isAligned(queries)
                && isAligned(keys)
                && isAligned(values)
                && isAligned(out);
    }

    private boolean isAligned(Tensor tensor) {
        return parts.context().address(tensor) % ALIGNMENT == 0;
    }

    void onHopper(Tensor queries, Tensor keys, Tensor values, int keyCount, double scale, Tensor out) {
        int t = queries.extent(0);
        int heads = queries.extent(1);
        Kernel kernel = parts.kernel(hopperSource(queries, keys.extent(0)));
        try (Arena arena = Arena.ofConfined()) {
            HopperMaps maps = hopperMaps(arena, queries, keys, values, keyCount);
            kernel.launch(
                    parts.queue(),
                    Grid.of((long) Math.ceilDiv(t, HOPPER_QUERIES) * heads, HOPPER_THREADS)
                            .withShared(hopperSharedBytes(queries.extent(2))),
                    maps.queries,
                    maps.keys,
                    maps.values,
                    t,
                    heads,
                    keyCount,
                    (float) scale,
                    out);
        }
    }

    /// The kernel of these types and sizes.
    KernelSource hopperSource(Tensor queries, int kvHeads) {
        return KernelSource.of("prefill_wgmma.cu", "prefillWgmma")
                .with("TYPE", KernelTypes.name(queries.dtype()))
                .with("HEAD_DIM", queries.extent(2))
                .with("GROUP", queries.extent(1) / kvHeads);
    }

    private static int hopperKeyTile(int headDim) {
        return headDim <= 128 ? 128 : 64;
    }

    static int hopperSharedBytes(int headDim) {
        return (HOPPER_QUERIES + 4 * hopperKeyTile(headDim)) * headDim * 2 + 1024 + 128;
    }

    /// Descriptions of the arrays that prefill_wgmma.cu copies tiles of.
    record HopperMaps(MemorySegment queries, MemorySegment keys, MemorySegment values) {}

    HopperMaps hopperMaps(Arena arena, Tensor queries, Tensor keys, Tensor values, int keyCount) {
        int t = queries.extent(0);
        int heads = queries.extent(1);
        int headDim = queries.extent(2);
        long rowBytes = (long) headDim * queries.dtype().bytes();
        long headBytes = keys.extent(1) * rowBytes;
        MemorySegment queryMap = tileMap(
                arena, queries, new long[] {headDim, heads, t}, new long[] {rowBytes, heads * rowBytes}, new int[] {
                    TileMap.COLUMNS, 1, HOPPER_QUERIES
                });
        // Rows after the last key are outside the array: the copies write zeros for them.
        long[] rows = {headDim, keyCount, keys.extent(0)};
        long[] strides = {rowBytes, headBytes};
        int[] tile = {TileMap.COLUMNS, hopperKeyTile(headDim), 1};
        return new HopperMaps(
                queryMap, tileMap(arena, keys, rows, strides, tile), tileMap(arena, values, rows, strides, tile));
    }

    private MemorySegment tileMap(Arena arena, Tensor tensor, long[] extents, long[] strides, int[] tile) {
        MemorySegment map = arena.allocate(TileMap.BYTES, TileMap.ALIGNMENT);
        TileMap.write(parts.context(), map, tensor, extents, strides, tile);
        return map;
    }

    void onTensorCores(Tensor queries, Tensor keys, Tensor values, int keyCount, double scale, Tensor out) {
        int t = queries.extent(0);
        int heads = queries.extent(1);
        int headDim = queries.extent(2);
        // The sizes of prefill_mma.cu's tiles.
        int queryTile = headDim <= 128 ? 128 : 64;
        int sharedBytes = 4 * (queryTile / 2) * (2 * headDim + ALIGNMENT);
        Kernel kernel = parts.kernel(mmaSource(queries, keys.extent(0)));
        kernel.launch(
                parts.queue(),
                Grid.of((long) Math.ceilDiv(t, queryTile) * heads, 2 * queryTile)
                        .withShared(sharedBytes),
                queries,
                keys,
                values,
                t,
                heads,
                keyCount,
                keys.extent(1),
                (float) scale,
                out);
    }

    /// The kernel of these types and sizes.
    KernelSource mmaSource(Tensor queries, int kvHeads) {
        return KernelSource.of("prefill_mma.cu", "prefillMma")
                .with("TYPE", KernelTypes.name(queries.dtype()))
                .with("HEAD_DIM", queries.extent(2))
                .with("GROUP", queries.extent(1) / kvHeads);
    }

    void plain(Tensor queries, Tensor keys, Tensor values, int keyCount, double scale, Tensor out) {
        int t = queries.extent(0);
        int heads = queries.extent(1);
        int headDim = queries.extent(2);
        if (keys.dtype() != values.dtype() || out.dtype() != queries.dtype() || headDim > PLAIN_LARGEST_HEAD_DIM) {
            throw new IllegalArgumentException(
                    ("prefill attention of %s queries over %s keys and %s values into %s, head dim"
                                    + " %d: keys and values must have one type, queries and output too, and the head dim must be"
                                    + " at most %d")
                            .formatted(
                                    queries.dtype(),
                                    keys.dtype(),
                                    values.dtype(),
                                    out.dtype(),
                                    headDim,
                                    PLAIN_LARGEST_HEAD_DIM));
        }
        Kernel kernel = parts.kernel(KernelSource.of("prefill_plain.cu", "prefillPlain")
                .with("ACT", KernelTypes.name(queries.dtype()))
                .with("STORED", KernelTypes.name(keys.dtype()))
                .with("HEAD_DIM", headDim)
                .with("GROUP", heads / keys.extent(0))
                .with("WARPS", PLAIN_WARPS));
        kernel.launch(
                parts.queue(),
                Grid.of(Math.ceilDiv((long) t * heads, PLAIN_WARPS), 32 * PLAIN_WARPS),
                queries,
                keys,
                values,
                t,
                heads,
                keyCount,
                keys.extent(1),
                (float) scale,
                out);
    }
}
