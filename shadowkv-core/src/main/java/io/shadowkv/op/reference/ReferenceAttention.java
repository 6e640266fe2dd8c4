package io.shadowkv.op.reference;

import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.AttentionOperations;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.Tensor;

/// Exact attention: all scores of a query, their softmax, the weighted sum of values.
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
            var head = new Head(keys, values, h, keyCount, scale);
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
    public void append(Tensor newKeys, Tensor newValues, SlotTable<AttendedRows> attended, StepRows rows) {
        int heads = newKeys.extent(1);
        for (int i = 0; i < rows.count(); i++) {
            AttendedRows region = attended.get(Elements.readInt(rows.slots(), i));
            int at = Elements.readInt(rows.writeRows(), i);
            place(newKeys, i, heads, region.keys(), at);
            place(newValues, i, heads, region.values(), at);
        }
    }

    @Override
    public void decode(Tensor queries, SlotTable<AttendedRows> attended, StepRows rows, double scale, Tensor out) {
        for (int i = 0; i < rows.count(); i++) {
            AttendedRows region = attended.get(Elements.readInt(rows.slots(), i));
            // One token's causal prefill over n keys reads all n: the same formula, so the same code.
            prefill(
                    queries.slice(i, 1),
                    region.keys(),
                    region.values(),
                    Elements.readInt(rows.attended(), i),
                    scale,
                    out.slice(i, 1));
        }
    }

    /// `target[h, at] = rows[i, h]` for all heads.
    private static void place(Tensor rows, int i, int heads, Tensor target, int at) {
        int headDim = rows.extent(2);
        java.util.Objects.checkIndex(at, target.extent(1));
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

        Head(Tensor allKeys, Tensor allValues, int h, int count, double scale) {
            this.scale = scale;
            headDim = allKeys.extent(2);
            long from = (long) h * allKeys.extent(1) * headDim;
            keys = Elements.read(allKeys, from, count * headDim);
            values = Elements.read(allValues, from, count * headDim);
        }

        double[] attend(double[] query, int count) {
            double[] weights = new double[count];
            for (int j = 0; j < count; j++) {
                for (int e = 0; e < headDim; e++) {
                    weights[j] += query[e] * keys[j * headDim + e];
                }
                weights[j] *= scale;
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
