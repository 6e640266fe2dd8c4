package io.shadowkv.op.reference;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/// Elements of host tensors as `double` and `int`, by row-major index.
final class Elements {
    private Elements() {}

    static double[] read(Tensor tensor) {
        return read(tensor, 0, Math.toIntExact(tensor.elements()));
    }

    /// Elements `from` until `from + count`.
    static double[] read(Tensor tensor, long from, int count) {
        double[] values = new double[count];
        if (tensor.dtype() == DType.F64) {
            MemorySegment.copy(tensor.segment(), JAVA_DOUBLE_UNALIGNED, from * Double.BYTES, values, 0, count);
            return values;
        }
        float[] decoded = new float[count];
        Floats.decode(tensor.dtype(), tensor.segment(), from, count, decoded, 0);
        for (int i = 0; i < count; i++) {
            values[i] = decoded[i];
        }
        return values;
    }

    /// Writes all of `values` from element `from` on, each rounded to nearest even.
    static void write(Tensor tensor, long from, double[] values) {
        MemorySegment segment = tensor.segment();
        DType dtype = tensor.dtype();
        for (int i = 0; i < values.length; i++) {
            Floats.set(dtype, segment, from + i, values[i]);
        }
    }

    static int[] readInts(Tensor tensor) {
        return integers(tensor).toArray(JAVA_INT_UNALIGNED);
    }

    static int readInt(Tensor tensor, long index) {
        return integers(tensor).get(JAVA_INT_UNALIGNED, index * Integer.BYTES);
    }

    static void writeInt(Tensor tensor, long index, int value) {
        integers(tensor).set(JAVA_INT_UNALIGNED, index * Integer.BYTES, value);
    }

    static long readLong(Tensor tensor, long index) {
        return expect(tensor, DType.I64).segment().get(JAVA_LONG_UNALIGNED, index * Long.BYTES);
    }

    /// `tensor[index] += value` for a tensor of I64.
    static void addLong(Tensor tensor, long index, long value) {
        MemorySegment segment = expect(tensor, DType.I64).segment();
        long at = index * Long.BYTES;
        segment.set(JAVA_LONG_UNALIGNED, at, segment.get(JAVA_LONG_UNALIGNED, at) + value);
    }

    private static MemorySegment integers(Tensor tensor) {
        return expect(tensor, DType.I32).segment();
    }

    private static Tensor expect(Tensor tensor, DType dtype) {
        if (tensor.dtype() != dtype) {
            throw new IllegalArgumentException(
                    "tensor " + tensor.dtype() + " " + tensor.shape() + "; expected a tensor of " + dtype);
        }
        return tensor;
    }
}
