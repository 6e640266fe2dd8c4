package io.shadowkv.cpu.linear;

import static io.shadowkv.cpu.vector.VectorWidth.FLOATS;
import static io.shadowkv.cpu.vector.VectorWidth.INTS;
import static io.shadowkv.cpu.vector.VectorWidth.LANES;
import static io.shadowkv.cpu.vector.VectorWidth.ORDER;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.B2I;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_B2I;

import io.shadowkv.cpu.vector.Codes;
import io.shadowkv.tensor.BlockFormat;
import io.shadowkv.tensor.BlockWeight;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/// Dot products of one vector with quantised rows, which are read from memory once and decoded in
/// registers. The layouts are described in [BlockFormat].
///
/// With vectors of 16 lanes, the K formats have faster loops in [WideBlocks]. Bytes are loaded as
/// in [Codes], whose methods are repeated here because of the rules of [BlockDots].
final class StreamedBlocks extends BlockDots {
    private static final int LOW = 0xF;
    private static final int BYTE = 0xFF;
    private static final int TOP = Integer.SIZE - Byte.SIZE;

    StreamedBlocks(BlockWeight weight) {
        super(weight);
    }

    @Override
    void dot(float[] x, int index, float[] lanes, int to) {
        switch (format) {
            case Q4_0 -> dotQ40(x, index, lanes, to);
            case Q8_0 -> dotQ80(x, index, lanes, to);
            case Q4_K -> dotQ4K(x, index, lanes, to);
            case Q5_K -> dotQ5K(x, index, lanes, to);
            case Q6_K -> dotQ6K(x, index, lanes, to);
        }
    }

    private void dotQ40(float[] x, int index, float[] lanes, int to) {
        MemorySegment row = row(index);
        FloatVector sum = FloatVector.zero(FLOATS);
        long at = 0;
        for (int block = 0; block < blocks; block++) {
            FloatVector low = FloatVector.zero(FLOATS);
            FloatVector high = FloatVector.zero(FLOATS);
            int k = block * 32;
            for (int e = 0; e < 16; e += LANES) {
                IntVector codes = Codes.IS_NARROW
                        ? IntVector.broadcast(INTS, row.get(JAVA_INT_UNALIGNED, at + 2 + e))
                                .lanewise(LSHR, Codes.DOWN)
                                .and(BYTE)
                        : (IntVector) ByteVector.fromMemorySegment(Codes.BYTES, row, at + 2 + e, ORDER)
                                .convertShape(ZERO_EXTEND_B2I, INTS, 0);
                low = ((FloatVector) codes.and(LOW).sub(8).convert(I2F, 0))
                        .fma(FloatVector.fromArray(FLOATS, x, k + e), low);
                high = ((FloatVector) codes.lanewise(LSHR, 4).sub(8).convert(I2F, 0))
                        .fma(FloatVector.fromArray(FLOATS, x, k + 16 + e), high);
            }
            FloatVector scale = FloatVector.broadcast(FLOATS, BlockFormat.f16(row, at));
            sum = scale.fma(low.add(high), sum);
            at += 18;
        }
        sum.intoArray(lanes, to);
    }

    private void dotQ80(float[] x, int index, float[] lanes, int to) {
        MemorySegment row = row(index);
        FloatVector sum = FloatVector.zero(FLOATS);
        long at = 0;
        for (int block = 0; block < blocks; block++) {
            FloatVector products = FloatVector.zero(FLOATS);
            int k = block * 32;
            for (int e = 0; e < 32; e += LANES) {
                IntVector codes = Codes.IS_NARROW
                        ? IntVector.broadcast(INTS, row.get(JAVA_INT_UNALIGNED, at + 2 + e))
                                .lanewise(LSHL, Codes.UP)
                                .lanewise(ASHR, TOP)
                        : (IntVector) ByteVector.fromMemorySegment(Codes.BYTES, row, at + 2 + e, ORDER)
                                .convertShape(B2I, INTS, 0);
                products = ((FloatVector) codes.convert(I2F, 0)).fma(FloatVector.fromArray(FLOATS, x, k + e), products);
            }
            sum = FloatVector.broadcast(FLOATS, BlockFormat.f16(row, at)).fma(products, sum);
            at += 34;
        }
        sum.intoArray(lanes, to);
    }

    private void dotQ4K(float[] x, int index, float[] lanes, int to) {
        MemorySegment row = row(index);
        FloatVector first = FloatVector.zero(FLOATS);
        FloatVector second = FloatVector.zero(FLOATS);
        long at = 0;
        for (int block = 0; block < blocks; block++) {
            float scale = BlockFormat.f16(row, at);
            float offset = -BlockFormat.f16(row, at + 2);
            long scales = groupScales(row, at);
            long offsets = groupOffsets(row, at);
            for (int pair = 0; pair < 4; pair++) {
                FloatVector scaleA = FloatVector.broadcast(FLOATS, scale * BlockFormat.ofGroup(scales, 0));
                FloatVector offsetA = FloatVector.broadcast(FLOATS, offset * BlockFormat.ofGroup(offsets, 0));
                FloatVector scaleB = FloatVector.broadcast(FLOATS, scale * BlockFormat.ofGroup(scales, 1));
                FloatVector offsetB = FloatVector.broadcast(FLOATS, offset * BlockFormat.ofGroup(offsets, 1));
                scales >>>= 2 * Byte.SIZE;
                offsets >>>= 2 * Byte.SIZE;
                int k = block * 256 + pair * 64;
                long from = at + 16 + pair * 32L;
                for (int e = 0; e < 32; e += LANES) {
                    IntVector codes = Codes.IS_NARROW
                            ? IntVector.broadcast(INTS, row.get(JAVA_INT_UNALIGNED, from + e))
                                    .lanewise(LSHR, Codes.DOWN)
                                    .and(BYTE)
                            : (IntVector) ByteVector.fromMemorySegment(Codes.BYTES, row, from + e, ORDER)
                                    .convertShape(ZERO_EXTEND_B2I, INTS, 0);
                    first = ((FloatVector) codes.and(LOW).convert(I2F, 0))
                            .fma(scaleA, offsetA)
                            .fma(FloatVector.fromArray(FLOATS, x, k + e), first);
                    second = ((FloatVector) codes.lanewise(LSHR, 4).convert(I2F, 0))
                            .fma(scaleB, offsetB)
                            .fma(FloatVector.fromArray(FLOATS, x, k + 32 + e), second);
                }
            }
            at += 144;
        }
        first.add(second).intoArray(lanes, to);
    }

    private void dotQ5K(float[] x, int index, float[] lanes, int to) {
        MemorySegment row = row(index);
        FloatVector sum = FloatVector.zero(FLOATS);
        long at = 0;
        for (int block = 0; block < blocks; block++) {
            float scale = BlockFormat.f16(row, at);
            float offset = -BlockFormat.f16(row, at + 2);
            long scales = groupScales(row, at);
            long offsets = groupOffsets(row, at);
            for (int group = 0; group < 8; group++) {
                FloatVector own = FloatVector.broadcast(FLOATS, scale * BlockFormat.ofGroup(scales, group));
                FloatVector ownOffset = FloatVector.broadcast(FLOATS, offset * BlockFormat.ofGroup(offsets, group));
                int k = block * 256 + group * 32;
                long from = at + 48 + group / 2 * 32L;
                for (int e = 0; e < 32; e += LANES) {
                    IntVector codes = Codes.IS_NARROW
                            ? IntVector.broadcast(INTS, row.get(JAVA_INT_UNALIGNED, from + e))
                                    .lanewise(LSHR, Codes.DOWN)
                                    .and(BYTE)
                            : (IntVector) ByteVector.fromMemorySegment(Codes.BYTES, row, from + e, ORDER)
                                    .convertShape(ZERO_EXTEND_B2I, INTS, 0);
                    IntVector bits = Codes.IS_NARROW
                            ? IntVector.broadcast(INTS, row.get(JAVA_INT_UNALIGNED, at + 16 + e))
                                    .lanewise(LSHR, Codes.DOWN)
                                    .and(BYTE)
                            : (IntVector) ByteVector.fromMemorySegment(Codes.BYTES, row, at + 16 + e, ORDER)
                                    .convertShape(ZERO_EXTEND_B2I, INTS, 0);
                    IntVector fifth = bits.lanewise(LSHR, group).and(1).lanewise(LSHL, 4);
                    IntVector whole =
                            codes.lanewise(LSHR, group % 2 * 4).and(LOW).or(fifth);
                    sum = ((FloatVector) whole.convert(I2F, 0))
                            .fma(own, ownOffset)
                            .fma(FloatVector.fromArray(FLOATS, x, k + e), sum);
                }
            }
            at += 176;
        }
        sum.intoArray(lanes, to);
    }

    /// Bytes with two runs of 32 elements at a time: the lower halves with one pair of upper bits,
    /// the upper halves with the pair four places above.
    private void dotQ6K(float[] x, int index, float[] lanes, int to) {
        MemorySegment row = row(index);
        FloatVector first = FloatVector.zero(FLOATS);
        FloatVector second = FloatVector.zero(FLOATS);
        long at = 0;
        for (int block = 0; block < blocks; block++) {
            float scale = BlockFormat.f16(row, at + 208);
            for (int quarter = 0; quarter < 4; quarter++) {
                int half = quarter / 2;
                int part = quarter % 2;
                long from = at + quarter * 32L;
                long high = at + 128 + half * 32L;
                long scales = at + 192 + half * 8L + part * 2L;
                int k = block * 256 + half * 128 + part * 32;
                for (int e = 0; e < 32; e += LANES) {
                    IntVector codes = Codes.IS_NARROW
                            ? IntVector.broadcast(INTS, row.get(JAVA_INT_UNALIGNED, from + e))
                                    .lanewise(LSHR, Codes.DOWN)
                                    .and(BYTE)
                            : (IntVector) ByteVector.fromMemorySegment(Codes.BYTES, row, from + e, ORDER)
                                    .convertShape(ZERO_EXTEND_B2I, INTS, 0);
                    IntVector bits = Codes.IS_NARROW
                            ? IntVector.broadcast(INTS, row.get(JAVA_INT_UNALIGNED, high + e))
                                    .lanewise(LSHR, Codes.DOWN)
                                    .and(BYTE)
                            : (IntVector) ByteVector.fromMemorySegment(Codes.BYTES, row, high + e, ORDER)
                                    .convertShape(ZERO_EXTEND_B2I, INTS, 0);
                    IntVector upper = bits.lanewise(LSHR, 2 * part);
                    IntVector lowerCodes = codes.and(LOW).or(upper.and(3).lanewise(LSHL, 4));
                    IntVector upperCodes = codes.lanewise(LSHR, 4).or(upper.and(0x30));
                    first = ((FloatVector) lowerCodes.sub(32).convert(I2F, 0))
                            .mul(scale * row.get(JAVA_BYTE, scales + e / 16))
                            .fma(FloatVector.fromArray(FLOATS, x, k + e), first);
                    second = ((FloatVector) upperCodes.sub(32).convert(I2F, 0))
                            .mul(scale * row.get(JAVA_BYTE, scales + 4 + e / 16))
                            .fma(FloatVector.fromArray(FLOATS, x, k + 64 + e), second);
                }
            }
            at += 210;
        }
        first.add(second).intoArray(lanes, to);
    }
}
