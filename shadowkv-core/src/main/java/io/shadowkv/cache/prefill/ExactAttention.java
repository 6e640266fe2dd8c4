package io.shadowkv.cache.prefill;

import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.AttentionOperations;
import io.shadowkv.op.Backend;
import io.shadowkv.tensor.Tensor;
import java.util.List;

/// Attention of every row to all keys before it. Has no state.
final class ExactAttention implements PromptAttention {
    private final AttentionOperations attention;

    ExactAttention(Backend backend) {
        this.attention = backend.operations().attention();
    }

    @Override
    public RowOrder order() {
        return RowOrder.ANY;
    }

    @Override
    public void observe(int layer, AttendedRows rows, int keyCount, Tensor queries, double scale) {}

    @Override
    public void attend(
            int layer, AttendedRows rows, int keyCount, int firstToken, Tensor queries, double scale, Tensor out) {
        attention.prefill(queries, rows.keys(), rows.values(), firstToken + queries.extent(0), scale, out);
    }

    @Override
    public List<LayerDensity> densities() {
        return List.of();
    }

    @Override
    public void close() {}
}
