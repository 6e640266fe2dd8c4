package io.shadowkv.cuda.attention;

import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.AttentionOperations;
import io.shadowkv.op.AttentionOperations.BlockLists;
import io.shadowkv.op.AttentionOperations.BlockRule;
import io.shadowkv.op.AttentionOperations.SelectedKeys;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// Exact attention of prefill and of decode steps.
public final class CudaAttention implements AttentionOperations, AutoCloseable {
    private final PrefillAttention prefill;
    private final SelectedPrefill selectedPrefill;
    private final BlockSelection blocks;
    private final DecodeAttention decode;

    public CudaAttention(CudaParts parts) {
        this.prefill = new PrefillAttention(parts);
        this.selectedPrefill = new SelectedPrefill(parts, prefill);
        this.blocks = new BlockSelection(parts, prefill);
        this.decode = new DecodeAttention(parts);
    }

    @Override
    public void store(Tensor rows, Tensor target, int at) {
        decode.store(rows, target, at);
    }

    @Override
    public void prefill(Tensor queries, Tensor keys, Tensor values, int keyCount, double scale, Tensor out) {
        prefill.run(queries, keys, values, keyCount, scale, out);
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
        selectedPrefill.run(queries, keys, values, firstToken, selected, scale, out);
    }

    @Override
    public void scoreBlocks(
            Tensor queries, Tensor means, int blockTokens, int firstToken, double scale, Tensor scores) {
        blocks.score(queries, means, blockTokens, firstToken, scale, scores);
    }

    @Override
    public void selectBlocks(@Nullable Tensor scores, BlockRule rule, int firstToken, int tokens, BlockLists target) {
        blocks.select(scores, rule, firstToken, tokens, target);
    }

    @Override
    public void append(Tensor newKeys, Tensor newValues, SlotTable<AttendedRows> attended, StepRows rows) {
        decode.append(newKeys, newValues, attended, rows);
    }

    @Override
    public void decode(Tensor queries, SlotTable<AttendedRows> attended, StepRows rows, double scale, Tensor out) {
        decode.all(queries, attended, rows, scale, out);
    }

    @Override
    public void decodeSelected(
            Tensor queries, SlotTable<IndexedLayer> layers, StepRows rows, double scale, Tensor out) {
        decode.selected(queries, layers, rows, scale, out);
    }

    @Override
    public void close() {
        try (decode;
                blocks) {
            prefill.close();
        }
    }
}
