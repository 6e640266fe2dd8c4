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
/// There are at least two sums a row, so that their latency is hidden. Formats without a loop here
/// are decoded to the first-level cache instead ([BlockRows]).
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

    static boolean supports(BlockFormat format) {
        return format == BlockFormat.Q8_0 || format == BlockFormat.Q4_K || format == BlockFormat.Q6_K;
    }

    /// `sums[o - first] += x · row o` for rows `first` to `last` (exclusive).
    void addDots(float[] x, int first, int last, float[] sums) {
        float[] lanes = new float[LaneSum.GROUP * LANES];
        for (int row = first; row < last; row += LaneSum.GROUP) {
            int count = Math.min(LaneSum.GROUP, last - row);
            for (int i = 0; i < count; i++) {
                long at = (row + i) * rowBytes;
                switch (format) {
                    case Q8_0 -> dotQ80(x, at, lanes, i * LANES);
                    case Q4_K -> dotQ4K(x, at, lanes, i * LANES);
                    default -> dotQ6K(x, at, lanes, i * LANES);
                }
            }
            LaneSum.fours(lanes, 1);
            for (int i = 0; i < count; i++) {
                sums[row - first + i] += lanes[LaneSum.place(0, i)];
            }
        }
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
                    IntVector codes = Codes.unsigned(segment, at + 16 + pair * 32 + e);
                    first = Codes.floats(codes.and(LOW))
                            .fma(scaleA, offsetA)
                            .fma(VectorMath.vector(x, k + e), first);
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

    private void dotQ6K(float[] x, long rowAt, float[] lanes, int to) {
        FloatVector a = VectorWidth.zero();
        FloatVector b = VectorWidth.zero();
        FloatVector c = VectorWidth.zero();
        FloatVector d = VectorWidth.zero();
        long at = rowAt;
        for (int block = 0; block < blocks; block++) {
            float scale = f16(at + 208);
            for (int half = 0; half < 2; half++) {
                long low = at + half * 64;
                long high = at + 128 + half * 32;
                long scales = at + 192 + half * 8;
                int k = block * 256 + half * 128;
                for (int e = 0; e < 32; e += LANES) {
                    long group = scales + e / 16;
                    IntVector first = Codes.unsigned(segment, low + e);
                    IntVector second = Codes.unsigned(segment, low + 32 + e);
                    IntVector upper = Codes.unsigned(segment, high + e);
                    a = Codes.floats(first.and(LOW)
                                    .or(upper.and(3).lanewise(VectorOperators.LSHL, 4))
                                    .sub(32))
                            .mul(scale * segment.get(JAVA_BYTE, group))
                            .fma(VectorMath.vector(x, k + e), a);
                    b = Codes.floats(second.and(LOW)
                                    .or(upper.and(0xC).lanewise(VectorOperators.LSHL, 2))
                                    .sub(32))
                            .mul(scale * segment.get(JAVA_BYTE, group + 2))
                            .fma(VectorMath.vector(x, k + 32 + e), b);
                    c = Codes.floats(first.lanewise(VectorOperators.LSHR, 4)
                                    .or(upper.and(0x30))
                                    .sub(32))
                            .mul(scale * segment.get(JAVA_BYTE, group + 4))
                            .fma(VectorMath.vector(x, k + 64 + e), c);
                    d = Codes.floats(second.lanewise(VectorOperators.LSHR, 4)
                                    .or(upper.and(0xC0).lanewise(VectorOperators.LSHR, 2))
                                    .sub(32))
                            .mul(scale * segment.get(JAVA_BYTE, group + 6))
                            .fma(VectorMath.vector(x, k + 96 + e), d);
                }
            }
            at += 210;
        }
        a.add(b).add(c.add(d)).intoArray(lanes, to);
    }

    private float f16(long at) {
        return Float.float16ToFloat(segment.get(JAVA_SHORT_UNALIGNED, at));
    }
}
