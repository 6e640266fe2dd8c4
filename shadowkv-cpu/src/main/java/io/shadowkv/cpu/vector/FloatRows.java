package io.shadowkv.cpu.vector;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/// A tensor of F32, BF16 or F16 that is read into and written from float arrays by row-major index.
/// Thread-safe.
public final class FloatRows {
    private final DType dtype;
    private final MemorySegment segment;

    /// @throws IllegalArgumentException if the tensor has another type
    public FloatRows(Tensor tensor) {
        dtype = tensor.dtype();
        segment = tensor.segment();
        if (dtype != DType.F32 && dtype != DType.BF16 && dtype != DType.F16) {
            throw new IllegalArgumentException(
                    "cannot compute with a tensor of " + dtype + " " + tensor.shape() + "; expected F32, BF16 or F16");
        }
    }

    public DType dtype() {
        return dtype;
    }

    public MemorySegment segment() {
        return segment;
    }

    /// Copies elements `from` to `from + count` (exclusive) to `target[at]` and following.
    public void load(long from, float[] target, int at, int count) {
        switch (dtype) {
            case F32 -> loadF32(from * Float.BYTES, target, at, count);
            case BF16 -> loadBf16(from * Short.BYTES, target, at, count);
            default -> loadF16(from * Short.BYTES, target, at, count);
        }
    }

    /// Like [#load], and fills up to `padded` elements with zeros.
    public void loadPadded(long from, float[] target, int at, int count, int padded) {
        load(from, target, at, count);
        Arrays.fill(target, at + count, at + padded, 0);
    }

    /// Copies `source[at]` and following to elements `from` to `from + count` (exclusive), rounded
    /// to nearest even.
    public void store(float[] source, int at, long from, int count) {
        switch (dtype) {
            case F32 -> storeF32(source, at, from * Float.BYTES, count);
            case BF16 -> storeBf16(source, at, from * Short.BYTES, count);
            default -> storeF16(source, at, from * Short.BYTES, count);
        }
    }

    /// Copies elements without conversion if the types are equal, otherwise through `buffer`, which
    /// must have at least `count` floats.
    public void copyTo(long from, FloatRows target, long to, int count, float[] buffer) {
        if (dtype == target.dtype) {
            long bytes = dtype.bytes();
            MemorySegment.copy(segment, from * bytes, target.segment, to * bytes, count * bytes);
        } else {
            load(from, buffer, 0, count);
            target.store(buffer, 0, to, count);
        }
    }

    /// A loop, because starting a bulk copy takes as long as copying 200 floats.
    private void loadF32(long byteFrom, float[] target, int at, int count) {
        int i = 0;
        for (; i <= count - VectorWidth.LANES; i += VectorWidth.LANES) {
            FloatVector.fromMemorySegment(
                            VectorWidth.FLOATS, segment, byteFrom + (long) i * Float.BYTES, VectorWidth.ORDER)
                    .intoArray(target, at + i);
        }
        for (; i < count; i++) {
            target[at + i] = segment.get(JAVA_FLOAT_UNALIGNED, byteFrom + (long) i * Float.BYTES);
        }
    }

    private void storeF32(float[] source, int at, long byteFrom, int count) {
        int i = 0;
        for (; i <= count - VectorWidth.LANES; i += VectorWidth.LANES) {
            FloatVector.fromArray(VectorWidth.FLOATS, source, at + i)
                    .intoMemorySegment(segment, byteFrom + (long) i * Float.BYTES, VectorWidth.ORDER);
        }
        for (; i < count; i++) {
            segment.set(JAVA_FLOAT_UNALIGNED, byteFrom + (long) i * Float.BYTES, source[at + i]);
        }
    }

    private void loadBf16(long byteFrom, float[] target, int at, int count) {
        int i = 0;
        for (; i <= count - VectorWidth.LANES; i += VectorWidth.LANES) {
            shorts(byteFrom, i)
                    .lanewise(VectorOperators.LSHL, Short.SIZE)
                    .reinterpretAsFloats()
                    .intoArray(target, at + i);
        }
        for (; i < count; i++) {
            target[at + i] = Floats.fromBf16(segment.get(JAVA_SHORT_UNALIGNED, byteFrom + (long) i * Short.BYTES));
        }
    }

    private void loadF16(long byteFrom, float[] target, int at, int count) {
        int i = 0;
        for (; i <= count - VectorWidth.LANES; i += VectorWidth.LANES) {
            fromF16(shorts(byteFrom, i).lanewise(VectorOperators.LSHL, Short.SIZE))
                    .intoArray(target, at + i);
        }
        for (; i < count; i++) {
            target[at + i] = Float.float16ToFloat(segment.get(JAVA_SHORT_UNALIGNED, byteFrom + (long) i * Short.BYTES));
        }
    }

    private void storeBf16(float[] source, int at, long byteFrom, int count) {
        int i = 0;
        for (; i <= count - VectorWidth.LANES; i += VectorWidth.LANES) {
            narrow(toBf16(FloatVector.fromArray(VectorWidth.FLOATS, source, at + i)), byteFrom, i);
        }
        for (; i < count; i++) {
            segment.set(JAVA_SHORT_UNALIGNED, byteFrom + (long) i * Short.BYTES, Floats.toBf16(source[at + i]));
        }
    }

    private void storeF16(float[] source, int at, long byteFrom, int count) {
        int i = 0;
        for (; i <= count - VectorWidth.LANES; i += VectorWidth.LANES) {
            narrow(toF16(FloatVector.fromArray(VectorWidth.FLOATS, source, at + i)), byteFrom, i);
        }
        for (; i < count; i++) {
            segment.set(JAVA_SHORT_UNALIGNED, byteFrom + (long) i * Short.BYTES, Float.floatToFloat16(source[at + i]));
        }
    }

    private IntVector shorts(long byteFrom, int i) {
        return VectorWidth.widen(ShortVector.fromMemorySegment(
                VectorWidth.SHORTS, segment, byteFrom + (long) i * Short.BYTES, VectorWidth.ORDER));
    }

    private void narrow(IntVector bits, long byteFrom, int i) {
        bits.convertShape(VectorOperators.I2S, VectorWidth.SHORTS, 0)
                .intoMemorySegment(segment, byteFrom + (long) i * Short.BYTES, VectorWidth.ORDER);
    }

    /// Converts F16 numbers in the upper half of each int. The exponent is moved into place and
    /// corrected by a multiplication, which is exact and also correct for subnormals. Infinities
    /// and NaNs get the largest exponent.
    static FloatVector fromF16(IntVector high) {
        IntVector bits = high.lanewise(VectorOperators.ASHR, 3).and(0x8FFF_E000);
        var special = high.and(0x7C00_0000).compare(VectorOperators.EQ, 0x7C00_0000);
        FloatVector value = bits.reinterpretAsFloats().mul(0x1p112f);
        return value.blend(bits.or(0x7000_0000).reinterpretAsFloats(), special.cast(VectorWidth.FLOATS));
    }

    /// Converts to BF16 in the lower half of each int. Rounds by adding half a unit in the last
    /// place, slightly less if the kept part is even.
    private static IntVector toBf16(FloatVector value) {
        IntVector bits = value.reinterpretAsInts();
        IntVector high = bits.lanewise(VectorOperators.LSHR, Short.SIZE);
        IntVector rounded = high.and(1).add(0x7FFF).add(bits).lanewise(VectorOperators.LSHR, Short.SIZE);
        return rounded.blend(high.or(0x40), value.test(VectorOperators.IS_NAN).cast(VectorWidth.INTS));
    }

    /// Converts to F16 in the lower half of each int. Subnormals are rounded by adding 0.5, whose
    /// last place is the same as theirs.
    private static IntVector toF16(FloatVector value) {
        IntVector bits = value.reinterpretAsInts();
        IntVector sign = bits.lanewise(VectorOperators.LSHR, Short.SIZE).and(0x8000);
        IntVector size = bits.and(0x7FFF_FFFF);
        IntVector odd = size.lanewise(VectorOperators.LSHR, 13).and(1);
        IntVector normal = size.add(((15 - 127) << 23) + 0xFFF).add(odd).lanewise(VectorOperators.LSHR, 13);
        IntVector small =
                size.reinterpretAsFloats().add(0.5f).reinterpretAsInts().sub(0x3F00_0000);
        IntVector result = normal.blend(small, size.compare(VectorOperators.LT, (127 - 14) << 23));
        result = result.blend(0x7C00, size.compare(VectorOperators.GE, (127 + 16) << 23));
        result = result.blend(0x7E00, size.compare(VectorOperators.GT, 0x7F80_0000));
        return result.or(sign);
    }
}
