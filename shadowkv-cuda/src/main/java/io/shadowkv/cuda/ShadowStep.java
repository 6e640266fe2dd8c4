package io.shadowkv.cuda;

import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.Rotary;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.Tensor;

/// Stub; helper "step" writes it.
@SuppressWarnings("DoNotCallSuggester")
final class ShadowStep implements AutoCloseable {
    ShadowStep(CudaParts parts) {}

    void score(Tensor queries, SlotTable<IndexedLayer> layers, StepRows rows, double scale, Tensor scores) { throw new IllegalStateException("not written yet"); }

    void forceHits(Tensor scores, SlotTable<IndexedLayer> layers, StepRows rows, double hitRate) { throw new IllegalStateException("not written yet"); }

    void select(Tensor scores, SlotTable<IndexedLayer> layers, StepRows rows) { throw new IllegalStateException("not written yet"); }

    void fetchValues(SlotTable<IndexedLayer> layers, StepRows rows) { throw new IllegalStateException("not written yet"); }

    void rebuildKeys(SlotTable<IndexedLayer> layers, StepRows rows, Rotary rotary) { throw new IllegalStateException("not written yet"); }

    @Override
    public void close() {}
}
