package io.shadowkv.op.reference;

import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.ValueCodes;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/// Copies values to the store and back, quantised or unchanged.
final class ReferenceValues {
    private ReferenceValues() {}

    static void store(Tensor source, int from, int count, Tensor values, Tensor scales, int to) {
        expectCodes(values, scales);
        Objects.checkFromIndexSize(from, count, source.extent(1));
        Objects.checkFromIndexSize(to, count, values.extent(1));
        int headDim = source.extent(2);
        MemorySegment codes = values.segment();
        for (int h = 0; h < source.extent(0); h++) {
            for (int i = 0; i < count; i++) {
                double[] row = Elements.read(source, ((long) h * source.extent(1) + from + i) * headDim, headDim);
                double largest = 0;
                for (double value : row) {
                    largest = Math.max(largest, Math.abs(value));
                }
                float scale = ValueCodes.scale(values.dtype(), (float) largest);
                long target = (long) h * values.extent(1) + to + i;
                Elements.write(scales, target, new double[] {scale});
                for (int e = 0; e < headDim; e++) {
                    byte code = ValueCodes.encode(values.dtype(), (float) row[e], scale);
                    codes.set(ValueLayout.JAVA_BYTE, target * headDim + e, code);
                }
            }
        }
    }

    /// Copies the values of one unit of head h, which starts at `token`, to the attended rows from
    /// `row` on.
    static void fetch(IndexedLayer layer, int h, int token, int row) {
        Tensor stored = layer.storedValues();
        Tensor scales = layer.storedScales();
        Tensor target = layer.attended().values();
        if (scales == null) {
            ReferenceShadow.copyHeadRows(stored, h, token, layer.unitTokens(), target, row);
            return;
        }
        expectCodes(stored, scales);
        Objects.checkFromIndexSize(token, layer.unitTokens(), stored.extent(1));
        Objects.checkFromIndexSize(row, layer.unitTokens(), target.extent(1));
        int headDim = stored.extent(2);
        for (int j = 0; j < layer.unitTokens(); j++) {
            long from = (long) h * stored.extent(1) + token + j;
            double scale = Elements.read(scales, from, 1)[0];
            double[] values = new double[headDim];
            for (int e = 0; e < headDim; e++) {
                byte code = stored.segment().get(ValueLayout.JAVA_BYTE, from * headDim + e);
                values[e] = ValueCodes.decode(stored.dtype(), code) * scale;
            }
            Elements.write(target, ((long) h * target.extent(1) + row + j) * headDim, values);
        }
    }

    private static void expectCodes(Tensor values, Tensor scales) {
        if (!ValueCodes.isCode(values.dtype()) || scales.dtype() != DType.BF16) {
            throw new IllegalArgumentException("values of " + values.dtype() + " with scales of " + scales.dtype()
                    + "; expected I8 or F8E4M3 with BF16");
        }
    }
}
