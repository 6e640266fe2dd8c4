package io.shadowkv.tensor;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/// Where a quantised safetensors checkpoint keeps the code of an element, and what its number is
/// before it is scaled.
public enum CodeLayout {
    /// `[out, in]`, OCP E4M3 numbers.
    F8E4M3(8, false) {
        @Override
        float number(MemorySegment codes, int outputs, int inputs, int output, int input) {
            return Floats.fromE4m3(codes.get(JAVA_BYTE, (long) output * inputs + input));
        }
    },
    /// `[out, in]`, bytes with a sign.
    I8(8, false) {
        @Override
        float number(MemorySegment codes, int outputs, int inputs, int output, int input) {
            return codes.get(JAVA_BYTE, (long) output * inputs + input);
        }
    },
    /// `[out, ceil(in / 4)]` words of compressed-tensors, the first column in the lowest bits, 128
    /// added to each number.
    PACKED_8(8, false) {
        @Override
        float number(MemorySegment codes, int outputs, int inputs, int output, int input) {
            return (word(codes, (long) output * Math.ceilDiv(inputs, 4) + input / 4) >>> input % 4 * 8 & 0xFF) - 128;
        }
    },
    /// `[out, ceil(in / 8)]` words of compressed-tensors, the first column in the lowest bits, 8 added
    /// to each number.
    PACKED_4(4, false) {
        @Override
        float number(MemorySegment codes, int outputs, int inputs, int output, int input) {
            return (word(codes, (long) output * Math.ceilDiv(inputs, 8) + input / 8) >>> input % 8 * 4 & 0xF) - 8;
        }
    },
    /// `[in / 8, out]` words of GPTQ, the first of eight inputs in the lowest bits.
    GPTQ_4(4, true) {
        @Override
        float number(MemorySegment codes, int outputs, int inputs, int output, int input) {
            return word(codes, (long) (input / 8) * outputs + output) >>> input % 8 * 4 & 0xF;
        }

        // Stored less 1.
        @Override
        float zero(MemorySegment zeros, int outputs, int output, int group) {
            return (word(zeros, (long) group * (outputs / 8) + output / 8) >>> output % 8 * 4 & 0xF) + 1;
        }
    },
    /// `[in, out / 8]` words of AWQ: from the lowest, the nibbles of a word belong to outputs 0, 2, 4,
    /// 6, 1, 3, 5 and 7.
    AWQ_4(4, true) {
        @Override
        float number(MemorySegment codes, int outputs, int inputs, int output, int input) {
            return word(codes, (long) input * (outputs / 8) + output / 8) >>> shift(output) & 0xF;
        }

        @Override
        float zero(MemorySegment zeros, int outputs, int output, int group) {
            return word(zeros, (long) group * (outputs / 8) + output / 8) >>> shift(output) & 0xF;
        }

        private static int shift(int output) {
            int place = output % 8;
            return (place % 2 == 0 ? place / 2 : 4 + place / 2) * 4;
        }
    };

    private final int bits;
    private final boolean isTransposed;

    CodeLayout(int bits, boolean isTransposed) {
        this.bits = bits;
        this.isTransposed = isTransposed;
    }

    /// Bits of a code.
    public int bits() {
        return bits;
    }

    /// True if scales and zero points are `[groups, out]`, and otherwise `[out groups, in groups]`.
    public boolean isTransposed() {
        return isTransposed;
    }

    /// The number of an element before its zero point is subtracted.
    ///
    /// @param outputs rows of the whole matrix
    /// @param inputs columns of the whole matrix
    abstract float number(MemorySegment codes, int outputs, int inputs, int output, int input);

    /// The zero point of a group.
    float zero(MemorySegment zeros, int outputs, int output, int group) {
        return 0;
    }

    private static int word(MemorySegment codes, long index) {
        return codes.get(JAVA_INT_UNALIGNED, index * Integer.BYTES);
    }
}
