package io.shadowkv.op.reference;

import io.shadowkv.op.ValueCodes;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

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

    /// Copies stored values of head h, from row `from` on, to rows `to` and following of `target`.
    ///
    /// @param scales null if values are not quantised
    static void load(Tensor stored, @Nullable Tensor scales, int h, int from, int count, Tensor target, int to) {
        if (scales == null) {
            ReferenceShadow.copyHeadRows(stored, h, from, count, target, to);
            return;
        }
        expectCodes(stored, scales);
        Objects.checkFromIndexSize(from, count, stored.extent(1));
        Objects.checkFromIndexSize(to, count, target.extent(1));
        int headDim = stored.extent(2);
        for (int j = 0; j < count; j++) {
            long row = (long) h * stored.extent(1) + from + j;
            double scale = Elements.read(scales, row, 1)[0];
            double[] values = new double[headDim];
            for (int e = 0; e < headDim; e++) {
                byte code = stored.segment().get(ValueLayout.JAVA_BYTE, row * headDim + e);
                values[e] = ValueCodes.decode(stored.dtype(), code) * scale;
            }
            Elements.write(target, ((long) h * target.extent(1) + to + j) * headDim, values);
        }
    }

    private static void expectCodes(Tensor values, Tensor scales) {
        if (!ValueCodes.isCode(values.dtype()) || scales.dtype() != DType.BF16) {
            throw new IllegalArgumentException("values of " + values.dtype() + " with scales of " + scales.dtype()
                    + "; expected I8 or F8E4M3 with BF16");
        }
    }
}
