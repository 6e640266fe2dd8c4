package io.shadowkv.cuda;

import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.Tensor;

/// Stub; helper "decode" writes it.
@SuppressWarnings("DoNotCallSuggester")
final class DecodeAttention implements AutoCloseable {
    DecodeAttention(CudaParts parts) {}

    void store(Tensor rows, Tensor target, int at) { throw new IllegalStateException("not written yet"); }

    void append(Tensor newKeys, Tensor newValues, SlotTable<AttendedRows> attended, StepRows rows) { throw new IllegalStateException("not written yet"); }

    void all(Tensor queries, SlotTable<AttendedRows> attended, StepRows rows, double scale, Tensor out) { throw new IllegalStateException("not written yet"); }

    void selected(Tensor queries, SlotTable<IndexedLayer> layers, StepRows rows, double scale, Tensor out) { throw new IllegalStateException("not written yet"); }

    @Override
    public void close() {}
}
