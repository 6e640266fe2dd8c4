package io.shadowkv.op.reference;

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
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Exact attention: all scores of a query, their softmax, and the weighted sum of values.
final class ReferenceAttention implements AttentionOperations {
    @Override
    public void store(Tensor rows, Tensor target, int at) {
        int heads = rows.extent(1);
        for (int i = 0; i < rows.extent(0); i++) {
            place(rows, i, heads, target, at + i);
        }
    }

    @Override
    public void prefill(Tensor queries, Tensor keys, Tensor values, int keyCount, double scale, Tensor out) {
        int tokens = queries.extent(0);
        int queryHeads = queries.extent(1);
        int headDim = queries.extent(2);
        int groupSize = queryHeads / keys.extent(0);
        for (int h = 0; h < keys.extent(0); h++) {
            var head = new Head(keys, values, h, IntStream.range(0, keyCount).toArray(), scale);
            for (int i = 0; i < tokens; i++) {
                for (int g = 0; g < groupSize; g++) {
                    long at = ((long) i * queryHeads + (long) h * groupSize + g) * headDim;
                    double[] query = Elements.read(queries, at, headDim);
                    Elements.write(out, at, head.attend(query, keyCount - tokens + i + 1));
                }
            }
        }
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
        new ReferenceSelectedPrefill(keys, values, selected, scale).run(queries, firstToken, out);
    }

    @Override
    public void scoreBlocks(
            Tensor queries, Tensor means, int blockTokens, int firstToken, double scale, Tensor scores) {
        ReferenceBlockScores.run(queries, means, blockTokens, firstToken, scale, scores);
    }

    @Override
    public void selectBlocks(@Nullable Tensor scores, BlockRule rule, int firstToken, int tokens, BlockLists target) {
        ReferenceBlockChoice.run(scores, rule, firstToken, tokens, target);
    }

    @Override
    public void append(Tensor newKeys, Tensor newValues, SlotTable<AttendedRows> attended, StepRows rows) {
        int heads = newKeys.extent(1);
        for (int i = 0; i < rows.count(); i++) {
            int slot = Elements.readInt(rows.slots(), i);
            if (slot < 0) {
                continue;
            }
            AttendedRows region = attended.get(slot);
            int at = Elements.readInt(rows.writeRows(), i);
            place(newKeys, i, heads, region.keys(), at);
            place(newValues, i, heads, region.values(), at);
        }
    }

    @Override
    public void decode(Tensor queries, SlotTable<AttendedRows> attended, StepRows rows, double scale, Tensor out) {
        for (int i = 0; i < rows.count(); i++) {
            int slot = Elements.readInt(rows.slots(), i);
            if (slot >= 0) {
                AttendedRows region = attended.get(slot);
                int count = Elements.readInt(rows.attended(), i);
                // Causal prefill of one token over n keys reads all n keys, so the same code serves
                // both.
                prefill(queries.slice(i, 1), region.keys(), region.values(), count, scale, out.slice(i, 1));
            }
        }
    }

    @Override
    public void decodeSelected(
            Tensor queries, SlotTable<IndexedLayer> layers, StepRows rows, double scale, Tensor out) {
        for (int i = 0; i < rows.count(); i++) {
            int slot = Elements.readInt(rows.slots(), i);
            if (slot >= 0) {
                decodeSelected(queries, i, layers.get(slot), Elements.readInt(rows.attended(), i), scale, out);
            }
        }
    }

    private static void decodeSelected(
            Tensor queries, int i, IndexedLayer layer, int attended, double scale, Tensor out) {
        int queryHeads = queries.extent(1);
        int headDim = queries.extent(2);
        int kvHeads = layer.kvHeads();
        int groupSize = queryHeads / kvHeads;
        for (int q = 0; q < queryHeads; q++) {
            int[] read = selectedRows(layer, q / groupSize, attended);
            var head = new Head(
                    layer.residency().attended().keys(),
                    layer.residency().attended().values(),
                    q / groupSize,
                    read,
                    scale);
            long at = ((long) i * queryHeads + q) * headDim;
            Elements.write(out, at, head.attend(Elements.read(queries, at, headDim), read.length));
        }
    }

    /// The rows before the units' region, the rows of the selected units, and the rows after the
    /// region.
    private static int[] selectedRows(IndexedLayer layer, int h, int attended) {
        int end = layer.residency().firstRow() + layer.slots() * layer.unitTokens();
        IntStream.Builder read = IntStream.builder();
        IntStream.range(0, layer.residency().firstRow()).forEach(read);
        for (int n = 0; n < layer.selectedUnits(); n++) {
            int slot = Elements.readInt(layer.residency().selectedSlots(), (long) h * layer.selectedUnits() + n);
            if (slot >= 0) {
                int first = layer.residency().firstRow() + slot * layer.unitTokens();
                IntStream.range(first, first + layer.unitTokens()).forEach(read);
            }
        }
        IntStream.range(end, attended).forEach(read);
        return read.build().toArray();
    }

    /// `target[h, at] = rows[i, h]` for all heads.
    private static void place(Tensor rows, int i, int heads, Tensor target, int at) {
        int headDim = rows.extent(2);
        Objects.checkIndex(at, target.extent(1));
        for (int h = 0; h < heads; h++) {
            double[] row = Elements.read(rows, ((long) i * heads + h) * headDim, headDim);
            Elements.write(target, ((long) h * target.extent(1) + at) * headDim, row);
        }
    }

    /// Keys and values of one head, widened once for all queries.
    private static final class Head {
        private final int headDim;
        private final double scale;
        private final double[] keys;
        private final double[] values;

        /// @param rows rows to read, in the order in which queries count them
        Head(Tensor allKeys, Tensor allValues, int h, int[] rows, double scale) {
            this.scale = scale;
            headDim = allKeys.extent(2);
            keys = read(allKeys, h, rows);
            values = read(allValues, h, rows);
        }

        private static double[] read(Tensor all, int h, int[] rows) {
            int headDim = all.extent(2);
            double[] gathered = new double[rows.length * headDim];
            for (int j = 0; j < rows.length; j++) {
                long row = (long) h * all.extent(1) + Objects.checkIndex(rows[j], all.extent(1));
                System.arraycopy(Elements.read(all, row * headDim, headDim), 0, gathered, j * headDim, headDim);
            }
            return gathered;
        }

        double[] attend(double[] query, int count) {
            double[] weights = new double[count];
            for (int j = 0; j < count; j++) {
                double score = 0;
                for (int e = 0; e < headDim; e++) {
                    score += query[e] * keys[j * headDim + e];
                }
                weights[j] = score * scale;
            }
            Softmax.apply(weights);
            double[] sum = new double[headDim];
            for (int j = 0; j < count; j++) {
                for (int e = 0; e < headDim; e++) {
                    sum[e] += weights[j] * values[j * headDim + e];
                }
            }
            return sum;
        }
    }
}
