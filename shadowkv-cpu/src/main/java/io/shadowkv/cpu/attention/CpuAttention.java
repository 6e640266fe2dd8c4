package io.shadowkv.cpu.attention;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import io.shadowkv.cpu.vector.FloatRows;
import io.shadowkv.cpu.vector.Scratch;
import io.shadowkv.cpu.vector.Scratch.Use;
import io.shadowkv.cpu.vector.WorkerPool;
import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.AttentionOperations;
import io.shadowkv.op.AttentionOperations.BlockLists;
import io.shadowkv.op.AttentionOperations.BlockRule;
import io.shadowkv.op.AttentionOperations.SelectedKeys;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.Tensor;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Attention: [PrefillAttention] and [SelectedPrefill] for prompts, [DecodeAttention] for single tokens.
public final class CpuAttention implements AttentionOperations {
    private static final int GRAIN_TOKENS = 16;

    private final WorkerPool pool;
    private final DecodeAttention decode;

    public CpuAttention(WorkerPool pool) {
        this.pool = pool;
        decode = new DecodeAttention(pool);
    }

    @Override
    public void store(Tensor rows, Tensor target, int at) {
        int tokens = rows.extent(0);
        Objects.checkFromIndexSize(at, tokens, target.extent(1));
        var from = new FloatRows(rows);
        var to = new FloatRows(target);
        pool.ranges(tokens, GRAIN_TOKENS, (first, last, scratch) -> {
            for (int i = first; i < last; i++) {
                place(from, i, to, target, at + i, scratch);
            }
        });
    }

    @Override
    public void prefill(Tensor queries, Tensor keys, Tensor values, int keyCount, double scale, Tensor out) {
        Objects.checkFromToIndex(queries.extent(0), keyCount, keys.extent(1));
        new PrefillAttention(queries, keys, values, keyCount, scale, out).run(pool);
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
        new SelectedPrefill(queries, keys, values, firstToken, selected, scale, out).run(pool);
    }

    @Override
    public void scoreBlocks(
            Tensor queries, Tensor means, int blockTokens, int firstToken, double scale, Tensor scores) {
        new BlockScores(queries, means, blockTokens, firstToken, scale, scores).run(pool);
    }

    @Override
    public void selectBlocks(@Nullable Tensor scores, BlockRule rule, int firstToken, int tokens, BlockLists target) {
        new BlockChoice(scores, rule, firstToken, tokens, target).run(pool);
    }

    @Override
    public void append(Tensor newKeys, Tensor newValues, SlotTable<AttendedRows> attended, StepRows rows) {
        var keys = new FloatRows(newKeys);
        var values = new FloatRows(newValues);
        int[] slots = rows.slots().segment().toArray(JAVA_INT_UNALIGNED);
        int[] writeRows = rows.writeRows().segment().toArray(JAVA_INT_UNALIGNED);
        pool.each(rows.count(), (i, scratch) -> {
            if (slots[i] < 0) {
                return;
            }
            AttendedRows region = attended.get(slots[i]);
            Objects.checkIndex(writeRows[i], region.keys().extent(1));
            place(keys, i, new FloatRows(region.keys()), region.keys(), writeRows[i], scratch);
            place(values, i, new FloatRows(region.values()), region.values(), writeRows[i], scratch);
        });
    }

    @Override
    public void decode(Tensor queries, SlotTable<AttendedRows> attended, StepRows rows, double scale, Tensor out) {
        decode.run(DecodeRows.all(attended, rows), queries, scale, out);
    }

    @Override
    public void decodeSelected(
            Tensor queries, SlotTable<IndexedLayer> layers, StepRows rows, double scale, Tensor out) {
        decode.run(DecodeRows.selected(layers, rows), queries, scale, out);
    }

    /// `target[h, row] = from[i, h]` for all heads.
    private static void place(FloatRows from, int i, FloatRows to, Tensor target, int row, Scratch scratch) {
        int heads = target.extent(0);
        int headDim = target.extent(2);
        float[] buffer = scratch.floats(Use.ROW, headDim);
        for (int h = 0; h < heads; h++) {
            long source = ((long) i * heads + h) * headDim;
            from.copyTo(source, to, ((long) h * target.extent(1) + row) * headDim, headDim, buffer);
        }
    }
}
