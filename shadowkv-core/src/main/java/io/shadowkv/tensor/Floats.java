package io.shadowkv.tensor;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/// Reads and writes floating elements of any type, one at a time: for reference code, tests and edges, not for
/// kernels.
public final class Floats {
    private Floats() {}

    /// Element `index` of `segment`, seen as an array of `dtype`.
    public static double get(DType dtype, MemorySegment segment, long index) {
        return switch (dtype) {
            case F32 -> segment.get(JAVA_FLOAT_UNALIGNED, index * 4);
            case F64 -> segment.get(JAVA_DOUBLE_UNALIGNED, index * 8);
            case BF16 -> fromBf16(segment.get(JAVA_SHORT_UNALIGNED, index * 2));
            case F16 -> Float.float16ToFloat(segment.get(JAVA_SHORT_UNALIGNED, index * 2));
            default -> throw new IllegalArgumentException(dtype + " is not a floating type");
        };
    }

    /// Stores `value` rounded to nearest even.
    public static void set(DType dtype, MemorySegment segment, long index, double value) {
        switch (dtype) {
            case F32 -> segment.set(JAVA_FLOAT_UNALIGNED, index * 4, (float) value);
            case F64 -> segment.set(JAVA_DOUBLE_UNALIGNED, index * 8, value);
            case BF16 -> segment.set(JAVA_SHORT_UNALIGNED, index * 2, toBf16((float) value));
            case F16 -> segment.set(JAVA_SHORT_UNALIGNED, index * 2, Float.floatToFloat16((float) value));
            default -> throw new IllegalArgumentException(dtype + " is not a floating type");
        }
    }

    public static float fromBf16(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    /// Rounds to nearest even; a NaN stays a (quiet) NaN.
    public static short toBf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) (bits >>> 16 | 0x40);
        }
        return (short) (bits + 0x7FFF + (bits >>> 16 & 1) >>> 16);
    }

    /// All elements of a host tensor as floats, row-major.
    public static float[] toArray(Tensor tensor) {
        float[] values = new float[Math.toIntExact(tensor.elements())];
        MemorySegment segment = tensor.segment();
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) get(tensor.dtype(), segment, i);
        }
        return values;
    }

    /// Fills a host tensor from floats, row-major.
    ///
    /// @throws IllegalArgumentException if the counts differ
    public static void fill(Tensor tensor, float[] values) {
        if (values.length != tensor.elements()) {
            throw new IllegalArgumentException(values.length + " values for a tensor of " + tensor.shape());
        }
        MemorySegment segment = tensor.segment();
        for (int i = 0; i < values.length; i++) {
            set(tensor.dtype(), segment, i, values[i]);
        }
    }
}
