package io.shadowkv.cuda.shadow;

import io.shadowkv.cuda.device.Grid;
import io.shadowkv.cuda.device.Kernel;
import io.shadowkv.cuda.device.KernelSource;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.Tensor;

/// Selects the units of a step and assigns slots to misses; also writes synthetic scores for
/// comparing machines. One block per row and head.
final class UnitSelection {
    private static final int THREADS = 1024;
    /// For each selected unit: its number, a miss, a flag.
    private static final int SHARED_BYTES_OF_UNIT = 2 * Integer.BYTES + 1;
    /// For each slot: its unit and age.
    private static final int SHARED_BYTES_OF_SLOT = 2 * Integer.BYTES;

    private final CudaParts parts;

    UnitSelection(CudaParts parts) {
        this.parts = parts;
    }

    void select(Tensor scores, SlotTable<IndexedLayer> layers, StepLimits limits, StepRows rows) {
        Kernel kernel = parts.kernel(KernelSource.of("select_units.cu", "selectUnits"));
        int kvHeads = limits.shape().kvHeads();
        int sharedBytes = sharedBytes(limits, kernel.mostSharedBytes());
        kernel.launchEarly(
                parts.queue(),
                Grid.of((long) rows.count() * kvHeads, THREADS).withShared(sharedBytes),
                scores,
                parts.mirrors().indexed(layers),
                rows.slots(),
                rows.units(),
                kvHeads,
                scores.extent(2),
                limits.selectedUnits(),
                limits.slots());
    }

    /// Dynamic shared memory of a block.
    ///
    /// @param most bytes that a block may have
    /// @throws IllegalArgumentException if the units and slots need more
    static int sharedBytes(StepLimits limits, int most) {
        long bytes =
                (long) SHARED_BYTES_OF_SLOT * limits.slots() + (long) SHARED_BYTES_OF_UNIT * limits.selectedUnits();
        long rounded = Math.ceilDiv(bytes, Integer.BYTES) * Integer.BYTES;
        if (rounded > most) {
            throw new IllegalArgumentException(
                    "a step that selects %,d units among %,d slots needs %,d bytes of shared memory in a block; this device has %,d. Lower the sparse budget, the layer's own budget if it has one (--layer-budgets) or the number of cached tokens, or enlarge the chunks"
                            .formatted(limits.selectedUnits(), limits.slots(), rounded, most));
        }
        return (int) rounded;
    }

    void forceHits(Tensor scores, SlotTable<IndexedLayer> layers, IndexedShape shape, StepRows rows, double hitRate) {
        parts.kernel(KernelSource.of("force_hits.cu", "forceHits"))
                .launchEarly(
                        parts.queue(),
                        Grid.of((long) rows.count() * shape.kvHeads(), THREADS),
                        scores,
                        parts.mirrors().indexed(layers),
                        rows.slots(),
                        rows.units(),
                        shape.kvHeads(),
                        scores.extent(2),
                        hitRate);
    }
}
