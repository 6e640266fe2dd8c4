package io.shadowkv.cuda;

import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.Tensor;

/// Which units a step selects and where misses go, and synthetic scores for comparing machines: one block a row and
/// head.
final class UnitSelection {
    private static final int THREADS = 1024;
    /// Of each selected unit: its number, a miss, a flag.
    private static final int SHARED_BYTES_OF_UNIT = 2 * Integer.BYTES + 1;

    private final CudaParts parts;

    UnitSelection(CudaParts parts) {
        this.parts = parts;
    }

    void select(Tensor scores, SlotTable<IndexedLayer> layers, IndexedShape shape, StepRows rows) {
        int capacity = mostSelected(layers);
        parts.kernel(KernelSource.of("select_units.cu", "selectUnits"))
                .launch(
                        parts.queue(),
                        Grid.of((long) rows.count() * shape.kvHeads(), THREADS)
                                .withShared(Math.ceilDiv(SHARED_BYTES_OF_UNIT * capacity, 4) * 4),
                        scores,
                        parts.mirrors().indexed(layers),
                        rows.slots(),
                        rows.units(),
                        shape.kvHeads(),
                        scores.extent(2),
                        capacity);
    }

    private static int mostSelected(SlotTable<IndexedLayer> layers) {
        int most = 0;
        for (int slot = 0; slot < layers.size(); slot++) {
            IndexedLayer layer = layers.getOrNull(slot);
            most = layer == null ? most : Math.max(most, layer.selectedUnits());
        }
        return most;
    }

    void forceHits(Tensor scores, SlotTable<IndexedLayer> layers, IndexedShape shape, StepRows rows, double hitRate) {
        parts.kernel(KernelSource.of("force_hits.cu", "forceHits"))
                .launch(
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
