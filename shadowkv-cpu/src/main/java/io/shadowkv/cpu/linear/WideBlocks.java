package io.shadowkv.cpu.linear;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import io.shadowkv.cpu.vector.Codes;
import io.shadowkv.cpu.vector.LaneSum;
import io.shadowkv.cpu.vector.VectorMath;
import io.shadowkv.cpu.vector.VectorWidth;
import io.shadowkv.tensor.BlockFormat;
import io.shadowkv.tensor.BlockWeight;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;

/// Dot products of one vector with rows of Q4_K or Q6_K, for vectors of 16 lanes.
///
/// Codes are loaded as ints, four bytes a lane, and stay where they are: the other factor is
/// arranged in the same order once ([#arrange]). A code of n bits becomes a float by a shift and a
/// mask: moved to the highest bits of the mantissa and given the exponent of 1, it is
/// `f = 1 + code / 2ⁿ`. With scale s and offset m of a Q4_K group,
/// `s · code - m = 16 · s · f - (16 · s + m)`. So the sum of `f · x` over a group is multiplied by s
/// (16 is in the arranged x), and the second term by the sum of x over the group, which is the same
/// for all rows. An element of Q6_K is `s · (code - 32) = 64 · s · (f - 1.5)`; without the
/// subtraction, the two terms would cancel too many digits.
final class WideBlocks {
    private static final int LANES = 16;
    private static final int BLOCK = 256;
    private static final int GROUP_LANES = 16;
    /// Exponent bits of 1.
    private static final int ONE = 0x3F80_0000;
    /// Bits 19 to 22: the highest four of the mantissa.
    private static final int FOUR = 0x0078_0000;
    /// Bits 17 to 20: the lower four of the highest six of the mantissa.
    private static final int LOWER_FOUR = 0x001E_0000;
    private static final int UPPER_TWO = 0x0060_0000;
    private static final float MIDDLE = 1.5f;
    private static final int SIX_BITS = 0x3F3F_3F3F;
    private static final int FOUR_BITS = 0x0F0F_0F0F;
    private static final int TWO_BITS = 0x0303_0303;

    private static final boolean IS_SUPPORTED = VectorWidth.LANES == LANES;
    private static final VectorMask<Float> UPPER_HALF = mask();
    private static final IntVector RUN_SHIFTS = runShifts();
    private static final VectorShuffle<Integer> FIRST_HALF = halfTwice(0);
    private static final VectorShuffle<Integer> SECOND_HALF = halfTwice(LANES / 2);
    private static final VectorShuffle<Float> PAIRS_LOW = spread(8, 0, 2);
    private static final VectorShuffle<Float> PAIRS_HIGH = spread(8, 1, 3);
    private static final VectorShuffle<Float> RUNS_LOW = spread(4, 0, 1, 2, 3);
    private static final VectorShuffle<Float> RUNS_HIGH = spread(4, 4, 5, 6, 7);
    /// Bring the factors of the next vector of codes to the first lanes.
    private static final VectorShuffle<Float> BY_4 = later(4);
    private static final VectorShuffle<Float> BY_8 = later(8);

    private final BlockFormat format;
    private final MemorySegment segment;
    private final long rowBytes;
    private final int blocks;

    WideBlocks(BlockWeight weight) {
        format = weight.blocks();
        segment = weight.segment();
        rowBytes = weight.rowBytes();
        blocks = weight.inputs() / BLOCK;
    }

    static boolean supports(BlockFormat format) {
        return IS_SUPPORTED && (format == BlockFormat.Q4_K || format == BlockFormat.Q6_K);
    }

    /// Floats that [#arrange] writes: x and the sums of its groups.
    static int arrangedLength(int inputs) {
        return inputs + inputs / BLOCK * GROUP_LANES;
    }

    /// Arranges `x` for rows of `format`: all blocks of elements, then, for Q4_K, sixteen factors of
    /// each block's scales and offsets.
    ///
    /// @param target [#arrangedLength] floats
    static void arrange(float[] x, int inputs, BlockFormat format, float[] target) {
        boolean hasFour = format == BlockFormat.Q4_K;
        for (int block = 0; block < inputs / BLOCK; block++) {
            int from = block * BLOCK;
            for (int i = 0; i < BLOCK; i++) {
                int element = hasFour ? element4(i) : element6(i);
                target[from + i] = x[from + element] * (hasFour ? 16 : 64);
            }
            if (hasFour) {
                int sums = inputs + block * GROUP_LANES;
                for (int lane = 0; lane < GROUP_LANES; lane++) {
                    int first = from + lane % 8 * 32;
                    float sum = 0;
                    for (int i = 0; i < 32; i++) {
                        sum += x[first + i];
                    }
                    // Scales are in the lower lanes, offsets in the upper ones.
                    target[sums + lane] = (lane < 8 ? -16 : -1) * sum;
                }
            }
        }
    }

    /// The element of a Q4_K block whose code stands in place `i`: vector of 64 bytes, nibble of an
    /// int, lane.
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

    /// `sums[o - first] += x · row o` for rows `first` to `last` (exclusive); x must be arranged.
    void addDots(float[] x, int first, int last, float[] sums) {
        float[] lanes = new float[LaneSum.GROUP * LANES];
        for (int row = first; row < last; row += LaneSum.GROUP) {
            int count = Math.min(LaneSum.GROUP, last - row);
            Arrays.fill(lanes, 0);
            for (int i = 0; i < count; i++) {
                if (format == BlockFormat.Q4_K) {
                    dotQ4K(x, (row + i) * rowBytes, lanes, i * LANES);
                } else {
                    dotQ6K(x, (row + i) * rowBytes, lanes, i * LANES);
                }
            }
            LaneSum.fours(lanes, 1);
            for (int i = 0; i < count; i++) {
                sums[row - first + i] += lanes[LaneSum.place(0, i)];
            }
        }
    }

    private void dotQ4K(float[] x, long rowAt, float[] lanes, int to) {
        FloatVector sum = VectorWidth.zero();
        long at = rowAt;
        int sumsAt = blocks * BLOCK;
        for (int block = 0; block < blocks; block++) {
            int low = segment.get(JAVA_INT_UNALIGNED, at + 4);
            int middle = segment.get(JAVA_INT_UNALIGNED, at + 8);
            int high = segment.get(JAVA_INT_UNALIGNED, at + 12);
            long scales = low & SIX_BITS | (long) (high & FOUR_BITS | (low >>> 6 & TWO_BITS) << 4) << Integer.SIZE;
            long offsets = middle & SIX_BITS
                    | (long) (high >>> 4 & FOUR_BITS | (middle >>> 6 & TWO_BITS) << 4) << Integer.SIZE;
            IntVector bytes = (IntVector) LongVector.broadcast(LongVector.SPECIES_128, scales)
                    .withLane(1, offsets)
                    .reinterpretAsBytes()
                    .convertShape(VectorOperators.ZERO_EXTEND_B2I, VectorWidth.INTS, 0);
            FloatVector factors =
                    Codes.floats(bytes).mul(VectorWidth.floats(f16(at)).blend(f16(at + 2), UPPER_HALF));
            sum = factors.fma(VectorMath.vector(x, sumsAt + block * GROUP_LANES), sum);
            for (int vector = 0; vector < 2; vector++) {
                IntVector codes = ints(at + 16 + vector * 64L);
                FloatVector lower = VectorWidth.zero();
                FloatVector upper = VectorWidth.zero();
                int k = block * BLOCK + vector * 128;
                for (int i = 0; i < 4; i++) {
                    lower = codes.lanewise(VectorOperators.ROR, 8 * i + 13)
                            .and(FOUR)
                            .or(ONE)
                            .reinterpretAsFloats()
                            .fma(VectorMath.vector(x, k), lower);
                    upper = codes.lanewise(VectorOperators.ROR, 8 * i + 17)
                            .and(FOUR)
                            .or(ONE)
                            .reinterpretAsFloats()
                            .fma(VectorMath.vector(x, k + LANES), upper);
                    k += 2 * LANES;
                }
                sum = lower.fma(factors.rearrange(PAIRS_LOW), sum);
                sum = upper.fma(factors.rearrange(PAIRS_HIGH), sum);
                factors = factors.rearrange(BY_4);
            }
            at += 144;
        }
        sum.intoArray(lanes, to);
    }

    private void dotQ6K(float[] x, long rowAt, float[] lanes, int to) {
        FloatVector sum = VectorWidth.zero();
        long at = rowAt;
        for (int block = 0; block < blocks; block++) {
            FloatVector factors = Codes.floats(Codes.signed(segment, at + 192)).mul(f16(at + 208));
            IntVector bits = ints(at + 128);
            for (int half = 0; half < 2; half++) {
                IntVector codes = ints(at + half * 64L);
                IntVector two = bits.rearrange(FIRST_HALF).lanewise(VectorOperators.LSHR, RUN_SHIFTS);
                FloatVector lower = VectorWidth.zero();
                FloatVector upper = VectorWidth.zero();
                int k = block * BLOCK + half * 128;
                for (int i = 0; i < 4; i++) {
                    lower = codes.lanewise(VectorOperators.ROR, 8 * i + 15)
                            .and(LOWER_FOUR)
                            .or(two.lanewise(VectorOperators.ROR, 8 * i + 11).and(UPPER_TWO))
                            .or(ONE)
                            .reinterpretAsFloats()
                            .sub(MIDDLE)
                            .fma(VectorMath.vector(x, k), lower);
                    upper = codes.lanewise(VectorOperators.ROR, 8 * i + 19)
                            .and(LOWER_FOUR)
                            .or(two.lanewise(VectorOperators.ROR, 8 * i + 15).and(UPPER_TWO))
                            .or(ONE)
                            .reinterpretAsFloats()
                            .sub(MIDDLE)
                            .fma(VectorMath.vector(x, k + LANES), upper);
                    k += 2 * LANES;
                }
                sum = lower.fma(factors.rearrange(RUNS_LOW), sum);
                sum = upper.fma(factors.rearrange(RUNS_HIGH), sum);
                factors = factors.rearrange(BY_8);
                bits = bits.rearrange(SECOND_HALF);
            }
            at += 210;
        }
        sum.intoArray(lanes, to);
    }

    private static VectorMask<Float> mask() {
        boolean[] isUpper = new boolean[VectorWidth.LANES];
        Arrays.fill(isUpper, VectorWidth.LANES / 2, VectorWidth.LANES, true);
        return VectorMask.fromArray(VectorWidth.FLOATS, isUpper, 0);
    }

    /// In the lanes of the second 32 bytes, the upper bits are two places higher.
    private static IntVector runShifts() {
        int[] shifts = new int[VectorWidth.LANES];
        Arrays.fill(shifts, VectorWidth.LANES / 2, VectorWidth.LANES, 2);
        return IntVector.fromArray(VectorWidth.INTS, shifts, 0);
    }

    private static VectorShuffle<Integer> halfTwice(int from) {
        return VectorShuffle.fromOp(
                VectorWidth.INTS, lane -> (from + lane % (VectorWidth.LANES / 2)) % VectorWidth.LANES);
    }

    /// Each of `places` in `count` neighbouring lanes.
    private static VectorShuffle<Float> spread(int count, int... places) {
        return VectorShuffle.fromOp(
                VectorWidth.FLOATS, lane -> places[lane / count % places.length] % VectorWidth.LANES);
    }

    /// Each lane takes what `count` lanes above it holds.
    private static VectorShuffle<Float> later(int count) {
        return VectorShuffle.fromOp(VectorWidth.FLOATS, lane -> (lane + count) % VectorWidth.LANES);
    }

    private IntVector ints(long at) {
        return IntVector.fromMemorySegment(VectorWidth.INTS, segment, at, VectorWidth.ORDER);
    }

    private float f16(long at) {
        return Float.float16ToFloat(segment.get(JAVA_SHORT_UNALIGNED, at));
    }
}
