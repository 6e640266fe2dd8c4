package io.shadowkv.cuda.shadow;

import io.shadowkv.cuda.device.Grid;
import io.shadowkv.cuda.device.KernelSource;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.Tensor;
import java.util.function.ToIntFunction;

/// Which units a step selects and where misses go, and synthetic scores for comparing machines: one block a row and
/// head.
final class UnitSelection {
    private static final int THREADS = 1024;
    /// Of each selected unit: its number, a miss, a flag.
    private static final int SHARED_BYTES_OF_UNIT = 2 * Integer.BYTES + 1;
    /// Of each slot: its unit and age.
    private static final int SHARED_BYTES_OF_SLOT = 2 * Integer.BYTES;

    private final CudaParts parts;

    UnitSelection(CudaParts parts) {
        this.parts = parts;
    }

    void select(Tensor scores, SlotTable<IndexedLayer> layers, IndexedShape shape, StepRows rows) {
        int capacity = most(layers, IndexedLayer::selectedUnits);
        int slotCapacity = most(layers, IndexedLayer::slots);
        int sharedBytes = SHARED_BYTES_OF_SLOT * slotCapacity + SHARED_BYTES_OF_UNIT * capacity;
        parts.kernel(KernelSource.of("select_units.cu", "selectUnits"))
                .launchEarly(
                        parts.queue(),
                        Grid.of((long) rows.count() * shape.kvHeads(), THREADS)
                                .withShared(Math.ceilDiv(sharedBytes, 4) * 4),
                        scores,
                        parts.mirrors().indexed(layers),
                        rows.slots(),
                        rows.units(),
                        shape.kvHeads(),
                        scores.extent(2),
                        capacity,
                        slotCapacity);
    }

    private static int most(SlotTable<IndexedLayer> layers, ToIntFunction<IndexedLayer> count) {
        int most = 0;
        for (int slot = 0; slot < layers.size(); slot++) {
            IndexedLayer layer = layers.getOrNull(slot);
            most = layer == null ? most : Math.max(most, count.applyAsInt(layer));
        }
        return most;
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
