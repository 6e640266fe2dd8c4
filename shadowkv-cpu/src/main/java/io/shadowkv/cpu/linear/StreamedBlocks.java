package io.shadowkv.cpu.linear;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import io.shadowkv.cpu.vector.Codes;
import io.shadowkv.cpu.vector.LaneSum;
import io.shadowkv.cpu.vector.VectorMath;
import io.shadowkv.cpu.vector.VectorWidth;
import io.shadowkv.tensor.BlockFormat;
import io.shadowkv.tensor.BlockWeight;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// Dot products of one vector with quantised rows, which are read from memory once and decoded in
/// registers. The layouts are described in [BlockFormat].
///
/// A number is decoded as `code · scale - offset` in one multiply-add and multiplied in another.
/// There are two sums a row, so that their latency is hidden. With vectors of 16 lanes, Q4_K and
/// Q6_K have faster loops in [WideBlocks].
final class StreamedBlocks {
    private static final int LANES = VectorWidth.LANES;
    private static final int LOW = 0xF;
    private static final int SIX_BITS = 0x3F3F_3F3F;
    private static final int FOUR_BITS = 0x0F0F_0F0F;
    private static final int TWO_BITS = 0x0303_0303;

    private final BlockFormat format;
    private final MemorySegment segment;
    private final long rowBytes;
    private final int blocks;

    StreamedBlocks(BlockWeight weight) {
        format = weight.blocks();
        segment = weight.segment();
        rowBytes = weight.rowBytes();
        blocks = weight.inputs() / format.elements();
    }

    /// `sums[o - first] += x · row o` for rows `first` to `last` (exclusive).
    void addDots(float[] x, int first, int last, float[] sums) {
        float[] lanes = new float[LaneSum.GROUP * LANES];
        for (int row = first; row < last; row += LaneSum.GROUP) {
            int count = Math.min(LaneSum.GROUP, last - row);
            for (int i = 0; i < count; i++) {
                long at = (row + i) * rowBytes;
                switch (format) {
                    case Q4_0 -> dotQ40(x, at, lanes, i * LANES);
                    case Q8_0 -> dotQ80(x, at, lanes, i * LANES);
                    case Q4_K -> dotQ4K(x, at, lanes, i * LANES);
                    case Q5_K -> dotQ5K(x, at, lanes, i * LANES);
                    case Q6_K -> dotQ6K(x, at, lanes, i * LANES);
                }
            }
            LaneSum.fours(lanes, 1);
            for (int i = 0; i < count; i++) {
                sums[row - first + i] += lanes[LaneSum.place(0, i)];
            }
        }
    }

    private void dotQ40(float[] x, long rowAt, float[] lanes, int to) {
        FloatVector first = VectorWidth.zero();
        FloatVector second = VectorWidth.zero();
        long at = rowAt;
        for (int block = 0; block < blocks; block++) {
            FloatVector scale = VectorWidth.floats(f16(at));
            int k = block * 32;
            for (int e = 0; e < 16; e += LANES) {
                IntVector codes = Codes.unsigned(segment, at + 2 + e);
                first = Codes.floats(codes.and(LOW).sub(8)).mul(scale).fma(VectorMath.vector(x, k + e), first);
                second = Codes.floats(codes.lanewise(VectorOperators.LSHR, 4).sub(8))
                        .mul(scale)
                        .fma(VectorMath.vector(x, k + 16 + e), second);
            }
            at += 18;
        }
        first.add(second).intoArray(lanes, to);
    }

    private void dotQ80(float[] x, long rowAt, float[] lanes, int to) {
        FloatVector even = VectorWidth.zero();
        FloatVector odd = VectorWidth.zero();
        long at = rowAt;
        for (int block = 0; block < blocks; block++) {
            FloatVector scale = VectorWidth.floats(f16(at));
            int k = block * 32;
            for (int e = 0; e < 32; e += 2 * LANES) {
                even = Codes.floats(Codes.signed(segment, at + 2 + e))
                        .mul(scale)
                        .fma(VectorMath.vector(x, k + e), even);
                odd = Codes.floats(Codes.signed(segment, at + 2 + LANES + e))
                        .mul(scale)
                        .fma(VectorMath.vector(x, k + e + LANES), odd);
            }
            at += 34;
        }
        even.add(odd).intoArray(lanes, to);
    }

    private void dotQ4K(float[] x, long rowAt, float[] lanes, int to) {
        FloatVector first = VectorWidth.zero();
        FloatVector second = VectorWidth.zero();
        long at = rowAt;
        for (int block = 0; block < blocks; block++) {
            float scale = f16(at);
            float offset = -f16(at + 2);
            int low = segment.get(JAVA_INT_UNALIGNED, at + 4);
            int middle = segment.get(JAVA_INT_UNALIGNED, at + 8);
            int high = segment.get(JAVA_INT_UNALIGNED, at + 12);
            int scales = low & SIX_BITS;
            int offsets = middle & SIX_BITS;
            int k = block * 256;
            for (int pair = 0; pair < 4; pair++) {
                if (pair == 2) {
                    scales = high & FOUR_BITS | (low >>> 6 & TWO_BITS) << 4;
                    offsets = high >>> 4 & FOUR_BITS | (middle >>> 6 & TWO_BITS) << 4;
                }
                FloatVector scaleA = VectorWidth.floats(scale * (scales & 0xFF));
                FloatVector offsetA = VectorWidth.floats(offset * (offsets & 0xFF));
                FloatVector scaleB = VectorWidth.floats(scale * (scales >>> 8 & 0xFF));
                FloatVector offsetB = VectorWidth.floats(offset * (offsets >>> 8 & 0xFF));
                scales >>>= 16;
                offsets >>>= 16;
                for (int e = 0; e < 32; e += LANES) {
                    IntVector codes = Codes.unsigned(segment, at + 16 + pair * 32L + e);
                    first = Codes.floats(codes.and(LOW)).fma(scaleA, offsetA).fma(VectorMath.vector(x, k + e), first);
                    second = Codes.floats(codes.lanewise(VectorOperators.LSHR, 4))
                            .fma(scaleB, offsetB)
                            .fma(VectorMath.vector(x, k + 32 + e), second);
                }
                k += 64;
            }
            at += 144;
        }
        first.add(second).intoArray(lanes, to);
    }

    private void dotQ5K(float[] x, long rowAt, float[] lanes, int to) {
        FloatVector sum = VectorWidth.zero();
        long at = rowAt;
        for (int block = 0; block < blocks; block++) {
            float scale = f16(at);
            float offset = -f16(at + 2);
            for (int group = 0; group < 8; group++) {
                FloatVector own = VectorWidth.floats(scale * BlockFormat.groupScale(segment, at + 4, group));
                FloatVector ownOffset = VectorWidth.floats(offset * BlockFormat.groupOffset(segment, at + 4, group));
                int k = block * 256 + group * 32;
                for (int e = 0; e < 32; e += LANES) {
                    IntVector low = Codes.unsigned(segment, at + 48 + group / 2 * 32L + e)
                            .lanewise(VectorOperators.LSHR, group % 2 * 4)
                            .and(LOW);
                    IntVector high = Codes.unsigned(segment, at + 16 + e)
                            .lanewise(VectorOperators.LSHR, group)
                            .and(1)
                            .lanewise(VectorOperators.LSHL, 4);
                    sum = Codes.floats(low.or(high)).fma(own, ownOffset).fma(VectorMath.vector(x, k + e), sum);
                }
            }
            at += 176;
        }
        sum.intoArray(lanes, to);
    }

    /// Bytes with two runs of 32 elements at a time: the lower halves with one pair of upper bits, the
    /// upper halves with the pair four places above. With all four runs of half a block in one loop
    /// the compiler gave up keeping vectors in registers (10 times slower).
    private void dotQ6K(float[] x, long rowAt, float[] lanes, int to) {
        FloatVector first = VectorWidth.zero();
        FloatVector second = VectorWidth.zero();
        long at = rowAt;
        for (int block = 0; block < blocks; block++) {
            float scale = f16(at + 208);
            for (int quarter = 0; quarter < 4; quarter++) {
                int half = quarter / 2;
                int part = quarter % 2;
                long high = at + 128 + half * 32L;
                long scales = at + 192 + half * 8L + part * 2L;
                int k = block * 256 + half * 128 + part * 32;
                for (int e = 0; e < 32; e += LANES) {
                    IntVector codes = Codes.unsigned(segment, at + quarter * 32L + e);
                    IntVector upper = Codes.unsigned(segment, high + e).lanewise(VectorOperators.LSHR, 2 * part);
                    first = Codes.floats(codes.and(LOW)
                                    .or(upper.and(3).lanewise(VectorOperators.LSHL, 4))
                                    .sub(32))
                            .mul(scale * segment.get(JAVA_BYTE, scales + e / 16))
                            .fma(VectorMath.vector(x, k + e), first);
                    second = Codes.floats(codes.lanewise(VectorOperators.LSHR, 4)
                                    .or(upper.and(0x30))
                                    .sub(32))
                            .mul(scale * segment.get(JAVA_BYTE, scales + 4 + e / 16))
                            .fma(VectorMath.vector(x, k + 64 + e), second);
                }
            }
            at += 210;
        }
        first.add(second).intoArray(lanes, to);
    }

    private float f16(long at) {
        return Float.float16ToFloat(segment.get(JAVA_SHORT_UNALIGNED, at));
    }
}
