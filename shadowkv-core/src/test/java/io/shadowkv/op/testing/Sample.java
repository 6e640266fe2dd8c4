package io.shadowkv.op.testing;

import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/// Test data: values already rounded to the type they will be stored in, so that judge and backend start from
/// the same.
///
/// @param dtype F32, BF16 or F16
/// @param values row-major
/// @param extents outermost first
public record Sample(DType dtype, float[] values, int... extents) {
    /// Rounds `values` to `dtype`.
    public static Sample of(DType dtype, float[] values, int... extents) {
        return new Sample(dtype, round(dtype, values), extents);
    }

    /// The same value everywhere.
    public static Sample filled(DType dtype, float value, int... extents) {
        float[] values = new float[Math.toIntExact(Shape.of(extents).elements())];
        java.util.Arrays.fill(values, value);
        return of(dtype, values, extents);
    }

    /// `values` as they read back after being stored as `dtype`.
    public static float[] round(DType dtype, float[] values) {
        Tensor stored = heap(dtype, values.length);
        Floats.fill(stored, values);
        return Floats.toArray(stored);
    }

    /// Doubles after rounding to `dtype`.
    public static float[] round(DType dtype, double[] values) {
        Tensor stored = heap(dtype, values.length);
        for (int i = 0; i < values.length; i++) {
            Floats.set(dtype, stored.segment(), i, values[i]);
        }
        return Floats.toArray(stored);
    }

    /// A tensor on the heap, zero.
    static Tensor heap(DType dtype, int... extents) {
        Shape shape = Shape.of(extents);
        byte[] bytes = new byte[Math.toIntExact(shape.elements() * dtype.bytes())];
        return Tensor.of(dtype, shape, MemorySegment.ofArray(bytes));
    }

    public int extent(int axis) {
        return extents[axis];
    }
}
