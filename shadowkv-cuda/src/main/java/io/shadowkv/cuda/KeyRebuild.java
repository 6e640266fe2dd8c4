package io.shadowkv.cuda;

import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.Rotary;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;

/// Rebuilds the keys of misses from their low-rank form and rotates them, on tensor cores where types and sizes
/// allow.
final class KeyRebuild {
    private static final int PLAIN_THREADS = 256;
    /// Twelve warps leave registers to the kernel that fetches values meanwhile.
    private static final int MOST_WARPS = 12;
    /// Beyond a head dim of 128, eight warps take all registers.
    private static final int MOST_WARPS_BEYOND = 8;
    private static final int LEAST_WARPS = 4;
    private static final int TILE = 16;
    private static final int PADDING = 8;
    private static final int PLAIN_BLOCKS = 4;
    /// Of the kernel, which are not dynamic.
    private static final int STATIC_SHARED_BYTES = 1024;

    private final CudaParts parts;

    KeyRebuild(CudaParts parts) {
        this.parts = parts;
    }

    void run(SlotTable<IndexedLayer> layers, IndexedShape shape, StepRows rows, Rotary rotary) {
        int lengths = Integer.BYTES * (rows.count() * shape.kvHeads() + 1);
        int warps = warps(shape, lengths);
        boolean isFast = isFast(shape, rotary) && warps >= LEAST_WARPS;
        KernelSource source = isFast
                ? KernelSource.of("rebuild_keys.cu", "rebuildKeys")
                        .with("TYPE", KernelTypes.name(shape.keys()))
                        .with("WARPS", warps)
                : KernelSource.of("rebuild_keys_any.cu", "rebuildKeysAny")
                        .with("FACTOR", KernelTypes.name(shape.factor()))
                        .with("BASIS", KernelTypes.name(shape.basis()))
                        .with("KEY", KernelTypes.name(shape.keys()));
        Kernel kernel = parts.kernel(source.with("HEAD_DIM", shape.headDim())
                .with("RANK", shape.rank())
                .with("UNIT_TOKENS", shape.unitTokens())
                .with("ROTARY_DIM", rotary.rotaryDim())
                .with("INTERLEAVED", rotary.interleaved() ? 1 : 0));
        int threads = isFast ? 32 * warps : PLAIN_THREADS;
        int sharedBytes = isFast ? basisBytes(shape) + warps * warpBytes(shape) + lengths : lengths;
        int blocks = isFast ? kernel.blocksPerMultiprocessor(threads, sharedBytes) : PLAIN_BLOCKS;
        // Fetches run beside twelve warps, not beside blocks that take all registers.
        int multiprocessors = shape.headDim() > 128
                ? parts.freeMultiprocessors()
                : parts.context().multiprocessors();
        kernel.launchEarly(
                parts.queue(),
                Grid.of((long) blocks * multiprocessors, threads).withShared(sharedBytes),
                parts.mirrors().indexed(layers),
                rows.slots(),
                rows.units(),
                rows.count(),
                shape.kvHeads(),
                rotary.cosines(),
                rotary.sines());
    }

    /// As the header of `rebuild_keys.cu` says.
    private static boolean isFast(IndexedShape shape, Rotary rotary) {
        return IndexedShape.isHalf(shape.keys())
                && shape.factor() == shape.keys()
                && shape.basis() == shape.keys()
                && shape.headDim() % 16 == 0
                && shape.headDim() <= 256
                && shape.rank() % 16 == 0
                && (rotary.interleaved() || rotary.rotaryDim() % 16 == 0);
    }

    /// Warps of a block, as many as shared memory has room for beside a head's basis.
    private int warps(IndexedShape shape, int lengths) {
        int room = parts.context().sharedBytesPerBlock() - STATIC_SHARED_BYTES - basisBytes(shape) - lengths;
        int most = shape.headDim() > 128 ? MOST_WARPS_BEYOND : MOST_WARPS;
        return Math.min(most, room / warpBytes(shape));
    }

    private static int basisBytes(IndexedShape shape) {
        return shape.keys().bytes() * shape.rank() * (shape.headDim() + PADDING);
    }

    /// A warp's tile and its next one.
    private static int warpBytes(IndexedShape shape) {
        return shape.keys().bytes() * 2 * TILE * (Math.max(shape.rank(), shape.headDim()) + PADDING);
    }
}
