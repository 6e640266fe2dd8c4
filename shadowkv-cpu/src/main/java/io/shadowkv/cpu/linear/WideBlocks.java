package io.shadowkv.cpu.linear;

import static io.shadowkv.cpu.vector.VectorWidth.FLOATS;
import static io.shadowkv.cpu.vector.VectorWidth.INTS;
import static io.shadowkv.cpu.vector.VectorWidth.ORDER;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static jdk.incubator.vector.VectorOperators.B2I;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.ROR;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_B2I;

import io.shadowkv.cpu.vector.VectorWidth;
import io.shadowkv.tensor.BlockFormat;
import io.shadowkv.tensor.BlockWeight;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;

/// Dot products of one vector with rows of Q4_K, Q5_K or Q6_K, for vectors of 16 lanes.
///
/// Codes are loaded as ints, four bytes a lane, and stay where they are: the other factor is
/// arranged in the same order once ([#arrange]). A code of n bits becomes a float by a shift and a
/// mask: moved to the highest bits of the mantissa and given the exponent of 1, it is
/// `f = 1 + code / 2ⁿ`. With scale s and offset m of a Q4_K group,
/// `s · code - m = 16 · s · f - (16 · s + m)`. So the sum of `f · x` over a group is multiplied by s
/// (16 is in the arranged x), and the second term by the sum of x over the group, which is the same
/// for all rows. Q5_K has 32 instead of 16. An element of Q6_K is
/// `s · (code - 32) = 64 · s · (f - 1.5)`; without the subtraction, the two terms would cancel too
/// many digits.
///
/// The loops obey the rules of [BlockDots].
final class WideBlocks extends BlockDots {
    private static final int LANES = 16;
    private static final int BLOCK = 256;
    private static final long LOWER_INT = 0xFFFF_FFFFL;
    /// Exponent bits of 1.
    private static final int ONE = 0x3F80_0000;
    /// Bits 19 to 22: the highest four of the mantissa.
    private static final int FOUR = 0x0078_0000;
    /// Bits 18 to 21 and bit 22: the highest five of the mantissa.
    private static final int FOUR_OF_FIVE = 0x003C_0000;
    private static final int FIFTH = 0x0040_0000;
    /// Bits 17 to 20: the lower four of the highest six of the mantissa.
    private static final int FOUR_OF_SIX = 0x001E_0000;
    private static final int UPPER_TWO = 0x0060_0000;
    private static final float MIDDLE = 1.5f;

    private static final boolean IS_SUPPORTED = VectorWidth.LANES == LANES;
    /// The lanes that hold offsets: 4 to 7, and 12 to 15.
    private static final VectorMask<Float> OFFSETS = mask();
    private static final IntVector RUN_SHIFTS = runShifts();
    private static final VectorShuffle<Integer> FIRST_HALF = halfTwice();
    /// The factors of the lower and of the upper codes.
    private static final VectorShuffle<Float> PAIRS_LOW = spread(8, 0, 2);
    private static final VectorShuffle<Float> PAIRS_HIGH = spread(8, 1, 3);
    private static final VectorShuffle<Float> RUNS_LOW = spread(4, 0, 1, 2, 3);
    private static final VectorShuffle<Float> RUNS_HIGH = spread(4, 4, 5, 6, 7);

    WideBlocks(BlockWeight weight) {
        super(weight);
    }

    static boolean supports(BlockFormat format) {
        return IS_SUPPORTED && format.elements() == BLOCK;
    }

    /// Floats that [#arrange] writes: x and the sums of its groups.
    static int arrangedLength(int inputs) {
        return inputs + inputs / BLOCK * 2 * LANES;
    }

    /// Arranges `x` for rows of `format`: all blocks of elements, then, for Q4_K and Q5_K, for
    /// each half of a block the factors of its four scales and four offsets, and eight zeros.
    ///
    /// @param target [#arrangedLength] floats
    static void arrange(float[] x, int inputs, BlockFormat format, float[] target) {
        boolean hasOffsets = format != BlockFormat.Q6_K;
        float codes = switch (format) {
            case Q4_K -> 16;
            case Q5_K -> 32;
            default -> 64;
        };
        for (int block = 0; block < inputs / BLOCK; block++) {
            int from = block * BLOCK;
            for (int i = 0; i < BLOCK; i++) {
                target[from + i] = x[from + (hasOffsets ? element4(i) : element6(i))] * codes;
            }
            for (int group = 0; hasOffsets && group < 8; group++) {
                int first = from + group * 32;
                float sum = 0;
                for (int i = 0; i < 32; i++) {
                    sum += x[first + i];
                }
                int at = inputs + (2 * block + group / 4) * LANES + group % 4;
                target[at] = -codes * sum;
                target[at + 4] = -sum;
                target[at + 8] = 0;
                target[at + 12] = 0;
            }
        }
    }

    /// The element of a Q4_K or Q5_K block whose code's lower four bits stand in place `i`: vector of
    /// 64 bytes, nibble of an int, lane.
    private static int element4(int i) {
        int nibble = i / LANES % 8;
        int at = i / (8 * LANES) * 64 + i % LANES * 4 + nibble / 2;
        return at / 32 * 64 + nibble % 2 * 32 + at % 32;
    }

    /// The element of a Q6_K block whose lower four bits stand in place `i`.
    private static int element6(int i) {
        int nibble = i / LANES % 8;
        int half = i / (8 * LANES);
        int at = i % LANES * 4 + nibble / 2;
        int run = at / 32 + nibble % 2 * 2;
        return half * 128 + run * 32 + at % 32;
    }

    @Override
    void dot(float[] x, int index, float[] lanes, int to) {
        switch (format) {
            case Q4_K -> dotQ4K(x, index, lanes, to);
            case Q5_K -> dotQ5K(x, index, lanes, to);
            case Q6_K -> dotQ6K(x, index, lanes, to);
            default -> throw new IllegalStateException(format + " has no loop for vectors of " + LANES + " lanes");
        }
    }

    private void dotQ4K(float[] x, int index, float[] lanes, int to) {
        MemorySegment row = row(index);
        FloatVector sum = FloatVector.zero(FLOATS);
        long at = 0;
        int sumsAt = blocks * BLOCK;
        for (int block = 0; block < blocks; block++) {
            long scales = groupScales(row, at);
            long offsets = groupOffsets(row, at);
            FloatVector units = FloatVector.broadcast(FLOATS, BlockFormat.f16(row, at))
                    .blend(BlockFormat.f16(row, at + 2), OFFSETS);
            for (int half = 0; half < 2; half++) {
                int shift = Integer.SIZE * half;
                long four = ((scales >>> shift) & LOWER_INT) | ((offsets >>> shift) << Integer.SIZE);
                IntVector numbers = (IntVector) LongVector.broadcast(LongVector.SPECIES_128, four)
                        .reinterpretAsBytes()
                        .convertShape(ZERO_EXTEND_B2I, INTS, 0);
                FloatVector factors = ((FloatVector) numbers.convert(I2F, 0)).mul(units);
                sum = factors.fma(FloatVector.fromArray(FLOATS, x, sumsAt), sum);
                sumsAt += LANES;
                IntVector codes = IntVector.fromMemorySegment(INTS, row, at + 16 + half * 64L, ORDER);
                FloatVector lower = FloatVector.zero(FLOATS);
                FloatVector upper = FloatVector.zero(FLOATS);
                int k = block * BLOCK + half * 128;
                for (int i = 0; i < 4; i++) {
                    lower = codes.lanewise(ROR, 8 * i + 13)
                            .and(FOUR)
                            .or(ONE)
                            .reinterpretAsFloats()
                            .fma(FloatVector.fromArray(FLOATS, x, k), lower);
                    upper = codes.lanewise(ROR, 8 * i + 17)
                            .and(FOUR)
                            .or(ONE)
                            .reinterpretAsFloats()
                            .fma(FloatVector.fromArray(FLOATS, x, k + LANES), upper);
                    k += 2 * LANES;
                }
                sum = factors.rearrange(PAIRS_LOW).fma(lower, sum);
                sum = factors.rearrange(PAIRS_HIGH).fma(upper, sum);
            }
            at += 144;
        }
        sum.intoArray(lanes, to);
    }

    private void dotQ5K(float[] x, int index, float[] lanes, int to) {
        MemorySegment row = row(index);
        FloatVector sum = FloatVector.zero(FLOATS);
        long at = 0;
        int sumsAt = blocks * BLOCK;
        for (int block = 0; block < blocks; block++) {
            long scales = groupScales(row, at);
            long offsets = groupOffsets(row, at);
            FloatVector units = FloatVector.broadcast(FLOATS, BlockFormat.f16(row, at))
                    .blend(BlockFormat.f16(row, at + 2), OFFSETS);
            // Bit 0 of each byte is that of the first group of the lane's half, bit 1 of the second.
            IntVector bits = IntVector.fromMemorySegment(INTS, row, at + 16, ORDER)
                    .rearrange(FIRST_HALF)
                    .lanewise(LSHR, RUN_SHIFTS);
            for (int half = 0; half < 2; half++) {
                int shift = Integer.SIZE * half;
                long four = ((scales >>> shift) & LOWER_INT) | ((offsets >>> shift) << Integer.SIZE);
                IntVector numbers = (IntVector) LongVector.broadcast(LongVector.SPECIES_128, four)
                        .reinterpretAsBytes()
                        .convertShape(ZERO_EXTEND_B2I, INTS, 0);
                FloatVector factors = ((FloatVector) numbers.convert(I2F, 0)).mul(units);
                sum = factors.fma(FloatVector.fromArray(FLOATS, x, sumsAt), sum);
                sumsAt += LANES;
                IntVector codes = IntVector.fromMemorySegment(INTS, row, at + 48 + half * 64L, ORDER);
                IntVector fifths = bits.lanewise(LSHR, 4 * half);
                FloatVector lower = FloatVector.zero(FLOATS);
                FloatVector upper = FloatVector.zero(FLOATS);
                int k = block * BLOCK + half * 128;
                for (int i = 0; i < 4; i++) {
                    lower = codes.lanewise(ROR, 8 * i + 14)
                            .and(FOUR_OF_FIVE)
                            .or(fifths.lanewise(ROR, 8 * i + 10).and(FIFTH))
                            .or(ONE)
                            .reinterpretAsFloats()
                            .fma(FloatVector.fromArray(FLOATS, x, k), lower);
                    upper = codes.lanewise(ROR, 8 * i + 18)
                            .and(FOUR_OF_FIVE)
                            .or(fifths.lanewise(ROR, 8 * i + 11).and(FIFTH))
                            .or(ONE)
                            .reinterpretAsFloats()
                            .fma(FloatVector.fromArray(FLOATS, x, k + LANES), upper);
                    k += 2 * LANES;
                }
                sum = factors.rearrange(PAIRS_LOW).fma(lower, sum);
                sum = factors.rearrange(PAIRS_HIGH).fma(upper, sum);
            }
            at += 176;
        }
        sum.intoArray(lanes, to);
    }

    private void dotQ6K(float[] x, int index, float[] lanes, int to) {
        MemorySegment row = row(index);
        FloatVector sum = FloatVector.zero(FLOATS);
        long at = 0;
        for (int block = 0; block < blocks; block++) {
            FloatVector unit = FloatVector.broadcast(FLOATS, BlockFormat.f16(row, at + 208));
            for (int half = 0; half < 2; half++) {
                IntVector numbers = (IntVector)
                        LongVector.broadcast(LongVector.SPECIES_128, row.get(JAVA_LONG_UNALIGNED, at + 192 + half * 8L))
                                .reinterpretAsBytes()
                                .convertShape(B2I, INTS, 0);
                FloatVector factors = ((FloatVector) numbers.convert(I2F, 0)).mul(unit);
                IntVector codes = IntVector.fromMemorySegment(INTS, row, at + half * 64L, ORDER);
                IntVector two = ((IntVector)
                                IntVector.fromMemorySegment(IntVector.SPECIES_256, row, at + 128 + half * 32L, ORDER)
                                        .reinterpretShape(INTS, 0))
                        .rearrange(FIRST_HALF)
                        .lanewise(LSHR, RUN_SHIFTS);
                FloatVector lower = FloatVector.zero(FLOATS);
                FloatVector upper = FloatVector.zero(FLOATS);
                int k = block * BLOCK + half * 128;
                for (int i = 0; i < 4; i++) {
                    lower = codes.lanewise(ROR, 8 * i + 15)
                            .and(FOUR_OF_SIX)
                            .or(two.lanewise(ROR, 8 * i + 11).and(UPPER_TWO))
                            .or(ONE)
                            .reinterpretAsFloats()
                            .sub(MIDDLE)
                            .fma(FloatVector.fromArray(FLOATS, x, k), lower);
                    upper = codes.lanewise(ROR, 8 * i + 19)
                            .and(FOUR_OF_SIX)
                            .or(two.lanewise(ROR, 8 * i + 15).and(UPPER_TWO))
                            .or(ONE)
                            .reinterpretAsFloats()
                            .sub(MIDDLE)
                            .fma(FloatVector.fromArray(FLOATS, x, k + LANES), upper);
                    k += 2 * LANES;
                }
                sum = factors.rearrange(RUNS_LOW).fma(lower, sum);
                sum = factors.rearrange(RUNS_HIGH).fma(upper, sum);
            }
            at += 210;
        }
        sum.intoArray(lanes, to);
    }

    private static VectorMask<Float> mask() {
        boolean[] areOffsets = new boolean[VectorWidth.LANES];
        for (int lane = 0; lane < areOffsets.length; lane++) {
            areOffsets[lane] = lane % 8 >= 4;
        }
        return VectorMask.fromArray(FLOATS, areOffsets, 0);
    }

    /// In the lanes of the second 32 bytes, the upper bits are two places higher.
    private static IntVector runShifts() {
        int[] shifts = new int[VectorWidth.LANES];
        Arrays.fill(shifts, VectorWidth.LANES / 2, VectorWidth.LANES, 2);
        return IntVector.fromArray(INTS, shifts, 0);
    }

    /// The lower half of the lanes, twice.
    private static VectorShuffle<Integer> halfTwice() {
        return VectorShuffle.fromOp(INTS, lane -> lane % (VectorWidth.LANES / 2));
    }

    /// Each of `places` in `count` neighbouring lanes.
    private static VectorShuffle<Float> spread(int count, int... places) {
        return VectorShuffle.fromOp(FLOATS, lane -> places[lane / count % places.length] % VectorWidth.LANES);
    }
}
