package io.shadowkv.cuda.attention;

import io.shadowkv.cuda.device.Grid;
import io.shadowkv.cuda.device.Kernel;
import io.shadowkv.cuda.device.KernelSource;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.KernelTypes;
import io.shadowkv.cuda.launch.PerQueue;
import io.shadowkv.cuda.launch.ScratchBuffer;
import io.shadowkv.cuda.launch.TileMap;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Set;

/// Causal attention of the rows of a prompt. On Hopper a kernel for its tensor cores serves the
/// head dims that it supports. A kernel for the tensor cores of all devices serves the others, and
/// a plain kernel serves all other types and head dims. Where few rows would occupy few of Hopper's
/// multiprocessors, each block reads a part of the keys ([KeyParts]). Thread-safe.
final class PrefillAttention implements AutoCloseable {
    private static final int PLAIN_WARPS = 4;
    private static final int PLAIN_LARGEST_HEAD_DIM = 1024;
    private static final int MMA_LARGEST_HEAD_DIM = 256;
    private static final Set<Integer> HOPPER_HEAD_DIMS = Set.of(64, 128, 256);
    static final int ALIGNMENT = 16;
    static final int HOPPER_THREADS = 384;
    /// The sizes of prefill_wgmma.cu's tiles.
    private static final int HOPPER_QUERIES = 128;

    private final CudaParts parts;
    private final PerQueue<ScratchBuffer> sums;
    private final PerQueue<ScratchBuffer> marks;

    PrefillAttention(CudaParts parts) {
        this.parts = parts;
        this.sums = new PerQueue<>(queue -> parts.scratch("sums of prefill attention over parts of the keys"));
        this.marks = new PerQueue<>(queue -> parts.scratch("weights of prefill attention over parts of the keys"));
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
        int headDim = queries.extent(2);
        KeyParts division = KeyParts.of(
                t,
                heads,
                heads / keys.extent(0),
                Math.ceilDiv(keyCount, hopperKeyTile(headDim)),
                parts.context().multiprocessors());
        boolean isSplit = division.splits() > 1;
        Kernel kernel = parts.kernel(
                hopperSource(queries, keys.extent(0), division.pack()).with("SPLIT", isSplit ? 1 : 0));
        Grid grid = Grid.of(division.blocks(t, heads) * division.splits(), HOPPER_THREADS)
                .withShared(hopperSharedBytes(headDim));
        try (Arena arena = Arena.ofConfined()) {
            HopperMaps maps = hopperMaps(arena, queries, keys, values, keyCount, division.pack());
            if (isSplit) {
                int splits = division.splits();
                Tensor sum = sums.of(parts.queue()).tensor(DType.F32, splits, t, heads * headDim);
                Tensor mark = marks.of(parts.queue()).tensor(DType.F32, splits, t, 2 * heads);
                kernel.launch(
                        parts.queue(),
                        grid,
                        maps.queries,
                        maps.keys,
                        maps.values,
                        t,
                        heads,
                        keyCount,
                        (float) scale,
                        splits,
                        division.splitTiles(),
                        sum,
                        mark);
                combine(sum, mark, splits, out);
            } else {
                kernel.launch(
                        parts.queue(),
                        grid,
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
    }

    private void combine(Tensor sum, Tensor mark, int splits, Tensor out) {
        int headDim = out.extent(2);
        int rows = Math.multiplyExact(out.extent(0), out.extent(1));
        Kernel kernel = parts.kernel(KernelSource.of("prefill_combine.cu", "prefillCombine")
                .with("TYPE", KernelTypes.name(out.dtype()))
                .with("HEAD_DIM", headDim));
        kernel.launch(parts.queue(), Grid.of(rows, headDim / 2), sum, mark, splits, rows, out);
    }

    @Override
    public void close() {
        sums.forEach(ScratchBuffer::close);
        marks.forEach(ScratchBuffer::close);
    }

    /// The kernel of these types and sizes.
    ///
    /// @param pack heads of a group that share a tile of queries
    KernelSource hopperSource(Tensor queries, int kvHeads, int pack) {
        return KernelSource.of("prefill_wgmma.cu", "prefillWgmma")
                .with("TYPE", KernelTypes.name(queries.dtype()))
                .with("HEAD_DIM", queries.extent(2))
                .with("GROUP", queries.extent(1) / kvHeads)
                .with("PACK", pack);
    }

    private static int hopperKeyTile(int headDim) {
        return headDim <= 128 ? 128 : 64;
    }

    static int hopperSharedBytes(int headDim) {
        return (HOPPER_QUERIES + 4 * hopperKeyTile(headDim)) * headDim * 2 + 1024 + 128;
    }

    /// Descriptions of the arrays that prefill_wgmma.cu copies tiles of.
    record HopperMaps(MemorySegment queries, MemorySegment keys, MemorySegment values) {}

    HopperMaps hopperMaps(Arena arena, Tensor queries, Tensor keys, Tensor values, int keyCount, int pack) {
        int t = queries.extent(0);
        int heads = queries.extent(1);
        int headDim = queries.extent(2);
        long rowBytes = (long) headDim * queries.dtype().bytes();
        long headBytes = keys.extent(1) * rowBytes;
        MemorySegment queryMap = tileMap(
                arena, queries, new long[] {headDim, heads, t}, new long[] {rowBytes, heads * rowBytes}, new int[] {
                    TileMap.COLUMNS, pack, HOPPER_QUERIES / pack
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
