package io.shadowkv.tensor;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.Objects;

/// Reads and writes floating-point elements of any type, one at a time: for reference code, tests
/// and input or output, not for kernels.
public final class Floats {
    private static final int E4M3_NAN = 0x7F;
    private static final int E4M3_MANTISSA_BITS = 3;
    private static final float E4M3_LARGEST = 448;
    private static final float E4M3_LEAST_NORMAL = 0x1p-6f;
    /// Distance between neighbouring numbers below the smallest normal number.
    private static final float E4M3_LAST_PLACE = 0x1p-9f;

    private Floats() {}

    /// Element `index` of `segment`, read as an array of `dtype`.
    public static double get(DType dtype, MemorySegment segment, long index) {
        return switch (dtype) {
            case F32 -> segment.get(JAVA_FLOAT_UNALIGNED, index * 4);
            case F64 -> segment.get(JAVA_DOUBLE_UNALIGNED, index * 8);
            case BF16 -> fromBf16(segment.get(JAVA_SHORT_UNALIGNED, index * 2));
            case F16 -> Float.float16ToFloat(segment.get(JAVA_SHORT_UNALIGNED, index * 2));
            case F8E4M3 -> fromE4m3(segment.get(JAVA_BYTE, index));
            default -> throw new IllegalArgumentException(dtype + " is not a floating type");
        };
    }

    /// Elements `from` until `from + count` of `segment` as `target[at]` and the following, by a copy of
    /// all at once where the type is common.
    ///
    /// @throws IndexOutOfBoundsException if either side has fewer
    public static void decode(DType dtype, MemorySegment segment, long from, int count, float[] target, int at) {
        Objects.checkFromIndexSize(at, count, target.length);
        switch (dtype) {
            case F32 -> MemorySegment.copy(segment, JAVA_FLOAT_UNALIGNED, from * 4, target, at, count);
            case BF16 -> {
                short[] bits = shorts(segment, from, count);
                for (int i = 0; i < count; i++) {
                    target[at + i] = fromBf16(bits[i]);
                }
            }
            case F16 -> {
                short[] bits = shorts(segment, from, count);
                for (int i = 0; i < count; i++) {
                    target[at + i] = Float.float16ToFloat(bits[i]);
                }
            }
            default -> {
                for (int i = 0; i < count; i++) {
                    target[at + i] = (float) get(dtype, segment, from + i);
                }
            }
        }
    }

    private static short[] shorts(MemorySegment segment, long from, int count) {
        return segment.asSlice(from * Short.BYTES, (long) count * Short.BYTES).toArray(JAVA_SHORT_UNALIGNED);
    }

    /// Stores `value` rounded to nearest even; F8E4M3 has no infinity; numbers that are too large
    /// become its largest.
    public static void set(DType dtype, MemorySegment segment, long index, double value) {
        switch (dtype) {
            case F32 -> segment.set(JAVA_FLOAT_UNALIGNED, index * 4, (float) value);
            case F64 -> segment.set(JAVA_DOUBLE_UNALIGNED, index * 8, value);
            case BF16 -> segment.set(JAVA_SHORT_UNALIGNED, index * 2, toBf16((float) value));
            case F16 -> segment.set(JAVA_SHORT_UNALIGNED, index * 2, Float.floatToFloat16((float) value));
            case F8E4M3 -> segment.set(JAVA_BYTE, index, toE4m3((float) value));
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

    /// Decodes an OCP E4M3 number: bias 7, no infinities, NaN if all bits except the sign are set.
    public static float fromE4m3(byte code) {
        int exponent = code >> E4M3_MANTISSA_BITS & 0xF;
        int mantissa = code & 7;
        float size = exponent == 0 ? mantissa * E4M3_LAST_PLACE : Math.scalb(8f + mantissa, exponent - 10);
        if ((code & E4M3_NAN) == E4M3_NAN) {
            return Float.NaN;
        }
        return code < 0 ? -size : size;
    }

    /// Rounds to nearest even; magnitudes above 448, including infinities, become 448.
    public static byte toE4m3(float value) {
        int sign = Float.floatToRawIntBits(value) >>> 24 & 0x80;
        float size = Math.min(Math.abs(value), E4M3_LARGEST);
        int code;
        if (Float.isNaN(value)) {
            code = E4M3_NAN;
        } else if (size < E4M3_LEAST_NORMAL) {
            // Rounding up to 8 units in the last place gives the code of the smallest normal
            // number, which is correct.
            code = (int) Math.rint(size / E4M3_LAST_PLACE);
        } else {
            int bits = Float.floatToRawIntBits(size);
            int dropped = 23 - E4M3_MANTISSA_BITS;
            int rounded = bits + (1 << dropped - 1) - 1 + (bits >>> dropped & 1) >>> dropped;
            code = rounded - (127 - 7 << E4M3_MANTISSA_BITS);
        }
        return (byte) (sign | code);
    }

    /// All elements of a host tensor as floats, row-major.
    public static float[] toArray(Tensor tensor) {
        float[] values = new float[Math.toIntExact(tensor.elements())];
        decode(tensor.dtype(), tensor.segment(), 0, values.length, values, 0);
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
        switch (tensor.dtype()) {
            case F32 -> MemorySegment.copy(values, 0, segment, JAVA_FLOAT_UNALIGNED, 0, values.length);
            case BF16 -> {
                short[] bits = new short[values.length];
                for (int i = 0; i < bits.length; i++) {
                    bits[i] = toBf16(values[i]);
                }
                MemorySegment.copy(bits, 0, segment, JAVA_SHORT_UNALIGNED, 0, bits.length);
            }
            default -> {
                for (int i = 0; i < values.length; i++) {
                    set(tensor.dtype(), segment, i, values[i]);
                }
            }
        }
    }
}
