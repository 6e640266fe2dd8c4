package io.shadowkv.cuda.shadow;

import io.shadowkv.cuda.device.Grid;
import io.shadowkv.cuda.device.Kernel;
import io.shadowkv.cuda.device.KernelSource;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.KernelTypes;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.Rotary;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;

/// Rebuilds the keys of misses from their low-rank factors and rotates them, on tensor cores if
/// types and sizes allow it.
final class KeyRebuild {
    private static final int THREADS = 256;
    private static final int WARPS = THREADS / 32;
    private static final int TILE = 16;
    private static final int PADDING = 8;
    private static final int PLAIN_BLOCKS = 4;

    private final CudaParts parts;

    KeyRebuild(CudaParts parts) {
        this.parts = parts;
    }

    void run(SlotTable<IndexedLayer> layers, IndexedShape shape, StepRows rows, Rotary rotary) {
        int lengths = Integer.BYTES * (rows.count() * shape.kvHeads() + 1);
        int sharedBytes = tileBytes(shape) + lengths;
        boolean isFast = isFast(shape, rotary) && sharedBytes <= parts.context().sharedBytesPerBlock();
        KernelSource source = isFast
                ? KernelSource.of("rebuild_keys.cu", "rebuildKeys").with("TYPE", KernelTypes.name(shape.keys()))
                : KernelSource.of("rebuild_keys_any.cu", "rebuildKeysAny")
                        .with("FACTOR", KernelTypes.name(shape.factor()))
                        .with("BASIS", KernelTypes.name(shape.basis()))
                        .with("KEY", KernelTypes.name(shape.keys()));
        Kernel kernel = parts.kernel(source.with("HEAD_DIM", shape.headDim())
                .with("RANK", shape.rank())
                .with("UNIT_TOKENS", shape.unitTokens())
                .with("ROTARY_DIM", rotary.rotaryDim())
                .with("INTERLEAVED", rotary.interleaved() ? 1 : 0));
        int blocks = isFast ? kernel.blocksPerMultiprocessor(THREADS, sharedBytes) : PLAIN_BLOCKS;
        kernel.launchEarly(
                parts.queue(),
                Grid.of((long) blocks * parts.freeMultiprocessors(), THREADS)
                        .withShared(isFast ? sharedBytes : lengths),
                parts.mirrors().indexed(layers),
                rows.slots(),
                rows.units(),
                rows.count(),
                shape.kvHeads(),
                rotary.cosines(),
                rotary.sines());
    }

    /// The conditions in the header of `rebuild_keys.cu`.
    private static boolean isFast(IndexedShape shape, Rotary rotary) {
        return IndexedShape.isHalf(shape.keys())
                && shape.factor() == shape.keys()
                && shape.basis() == shape.keys()
                && shape.headDim() % 16 == 0
                && shape.headDim() <= 256
                && shape.rank() % 16 == 0
                && (rotary.interleaved() || rotary.rotaryDim() % 16 == 0);
    }

    /// Shared memory for the basis of a head and the tiles of the warps.
    private static int tileBytes(IndexedShape shape) {
        int basis = shape.rank() * (shape.headDim() + PADDING);
        int rows = WARPS * TILE * (Math.max(shape.rank(), shape.headDim()) + PADDING);
        return shape.keys().bytes() * (basis + rows);
    }
}
