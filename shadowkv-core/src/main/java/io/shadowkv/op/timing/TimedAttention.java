package io.shadowkv.op.timing;

import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.AttentionOperations;
import io.shadowkv.op.AttentionOperations.BlockLists;
import io.shadowkv.op.AttentionOperations.BlockRule;
import io.shadowkv.op.AttentionOperations.SelectedKeys;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.OperationKind;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// Times each attention operation under its kind.
final class TimedAttention implements AttentionOperations {
    private final AttentionOperations attention;
    private final Timer timer;

    TimedAttention(AttentionOperations attention, Timer timer) {
        this.attention = attention;
        this.timer = timer;
    }

    @Override
    public void store(Tensor rows, Tensor target, int at) {
        timer.time(OperationKind.ROWS, () -> attention.store(rows, target, at));
    }

    @Override
    public void prefill(Tensor queries, Tensor keys, Tensor values, int keyCount, double scale, Tensor out) {
        timer.time(OperationKind.ATTENTION, () -> attention.prefill(queries, keys, values, keyCount, scale, out));
    }

    @Override
    public void prefillSelected(
            Tensor queries,
            Tensor keys,
            Tensor values,
            int firstToken,
            SelectedKeys selected,
            double scale,
            Tensor out) {
        timer.time(
                OperationKind.ATTENTION,
                () -> attention.prefillSelected(queries, keys, values, firstToken, selected, scale, out));
    }

    @Override
    public void scoreBlocks(
            Tensor queries, Tensor means, int blockTokens, int firstToken, double scale, Tensor scores) {
        timer.time(
                OperationKind.SCORE,
                () -> attention.scoreBlocks(queries, means, blockTokens, firstToken, scale, scores));
    }

    @Override
    public void selectBlocks(@Nullable Tensor scores, BlockRule rule, int firstToken, int tokens, BlockLists target) {
        timer.time(OperationKind.SELECT, () -> attention.selectBlocks(scores, rule, firstToken, tokens, target));
    }

    @Override
    public void append(Tensor newKeys, Tensor newValues, SlotTable<AttendedRows> attended, StepRows rows) {
        timer.time(OperationKind.ROWS, () -> attention.append(newKeys, newValues, attended, rows));
    }

    @Override
    public void decode(Tensor queries, SlotTable<AttendedRows> attended, StepRows rows, double scale, Tensor out) {
        timer.time(OperationKind.ATTENTION, () -> attention.decode(queries, attended, rows, scale, out));
    }

    @Override
    public void decodeSelected(
            Tensor queries, SlotTable<IndexedLayer> layers, StepRows rows, double scale, Tensor out) {
        timer.time(OperationKind.ATTENTION, () -> attention.decodeSelected(queries, layers, rows, scale, out));
    }
}
