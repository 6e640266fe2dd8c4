package io.shadowkv.cpu.shadow;

import io.shadowkv.cpu.vector.FloatRows;
import io.shadowkv.cpu.vector.Scratch;
import io.shadowkv.cpu.vector.Scratch.Use;
import io.shadowkv.op.ValueCodes;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/// Encodes the values of one store to codes and scales, and decodes them. Thread-safe.
final class ValueCoder {
    private static final int CODES = 256;

    private final DType dtype;
    private final MemorySegment codes;
    private final FloatRows scales;
    private final int capacity;
    private final int headDim;
    private final float[] numbers = new float[CODES];

    /// @param values I8 or F8E4M3 `[H, capacity, d]`
    /// @param scales BF16 `[H, capacity]`
    ValueCoder(Tensor values, Tensor scales) {
        dtype = values.dtype();
        if (!ValueCodes.isCode(dtype) || scales.dtype() != DType.BF16) {
            throw new IllegalArgumentException(
                    "values of " + dtype + " with scales of " + scales.dtype() + "; expected I8 or F8E4M3 with BF16");
        }
        codes = values.segment();
        this.scales = new FloatRows(scales);
        capacity = values.extent(1);
        headDim = values.extent(2);
        for (int i = 0; i < CODES; i++) {
            numbers[i] = ValueCodes.decode(dtype, (byte) i);
        }
    }

    /// Encodes rows `from` to `from + count` (exclusive) of `head` as rows `to` and following.
    void encode(Tensor source, int head, int from, int count, int to, Scratch scratch) {
        Objects.checkFromIndexSize(from, count, source.extent(1));
        Objects.checkFromIndexSize(to, count, capacity);
        var rows = new FloatRows(source);
        float[] row = scratch.floats(Use.ROW, headDim);
        float[] scale = scratch.floats(Use.SECOND_ROW, 1);
        byte[] encoded = new byte[headDim];
        for (int i = 0; i < count; i++) {
            rows.load(((long) head * source.extent(1) + from + i) * headDim, row, 0, headDim);
            scale[0] = ValueCodes.scale(dtype, largestMagnitude(row));
            for (int e = 0; e < headDim; e++) {
                encoded[e] = ValueCodes.encode(dtype, row[e], scale[0]);
            }
            long target = (long) head * capacity + to + i;
            scales.store(scale, 0, target, 1);
            MemorySegment.copy(encoded, 0, codes, ValueLayout.JAVA_BYTE, target * headDim, headDim);
        }
    }

    private float largestMagnitude(float[] row) {
        float largest = 0;
        for (int e = 0; e < headDim; e++) {
            largest = Math.max(largest, Math.abs(row[e]));
        }
        return largest;
    }

    /// Decodes the values of tokens `token` to `token + count` (exclusive) to rows `to` and
    /// following of `target`.
    void decode(int head, int token, int count, Tensor target, int to, Scratch scratch) {
        Objects.checkFromIndexSize(token, count, capacity);
        Objects.checkFromIndexSize(to, count, target.extent(1));
        var rows = new FloatRows(target);
        float[] row = scratch.floats(Use.ROW, headDim);
        float[] scale = scratch.floats(Use.SECOND_ROW, 1);
        byte[] encoded = new byte[headDim];
        for (int i = 0; i < count; i++) {
            long source = (long) head * capacity + token + i;
            scales.load(source, scale, 0, 1);
            MemorySegment.copy(codes, ValueLayout.JAVA_BYTE, source * headDim, encoded, 0, headDim);
            for (int e = 0; e < headDim; e++) {
                row[e] = numbers[encoded[e] & 0xFF] * scale[0];
            }
            rows.store(row, 0, ((long) head * target.extent(1) + to + i) * headDim, headDim);
        }
    }
}
