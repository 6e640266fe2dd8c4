package io.shadowkv.tensor;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/// Quantises rows of weights to blocks of Q8_0, Q4_0 or Q4_K. Not-a-number, infinities and weights
/// whose scale is too large for F16 are not representable; the caller gets an exception. Stateless.
public final class BlockEncoder {
    private static final int GROUP = 32;
    private static final int MOST_8 = 127;
    private static final int MOST_4 = 15;
    private static final int MOST_SCALE = 63;
    /// Ranges that are tried for a group of 4-bit codes, as shares of the range of its values. The
    /// full range is rarely the best: a few outliers cost the others less if they are cut.
    private static final float[] SHARES = {1, 0.975f, 0.95f, 0.925f, 0.9f, 0.85f, 0.8f, 0.75f};

    private BlockEncoder() {}

    /// Encodes a row.
    ///
    /// @param row a multiple of the block's elements
    /// @throws IllegalArgumentException if the format cannot be written, a value is not finite or a
    ///     scale is too large for F16
    public static void encode(BlockFormat format, float[] row, MemorySegment target, long at) {
        for (float value : row) {
            if (!Float.isFinite(value)) {
                throw new IllegalArgumentException("a weight is " + value + ", which cannot be quantised");
            }
        }
        long block = at;
        for (int from = 0; from < row.length; from += format.elements()) {
            switch (format) {
                case Q8_0 -> encodeQ80(row, from, target, block);
                case Q4_0 -> encodeQ40(row, from, target, block);
                case Q4_K -> encodeQ4K(row, from, target, block);
                default -> throw new IllegalArgumentException("weights are not quantised to " + format);
            }
            block += format.bytes();
        }
    }

    private static void encodeQ80(float[] row, int from, MemorySegment target, long at) {
        float largest = 0;
        for (int i = 0; i < GROUP; i++) {
            largest = Math.max(largest, Math.abs(row[from + i]));
        }
        float scale = half(target, at, largest / MOST_8);
        for (int i = 0; i < GROUP; i++) {
            int code = scale == 0 ? 0 : Math.round(row[from + i] / scale);
            target.set(JAVA_BYTE, at + 2 + i, (byte) Math.clamp(code, -MOST_8, MOST_8));
        }
    }

    /// The scale, of either sign, with the least squared error among those tried.
    private static void encodeQ40(float[] row, int from, MemorySegment target, long at) {
        float extreme = 0;
        for (int i = 0; i < GROUP; i++) {
            extreme = Math.abs(row[from + i]) > Math.abs(extreme) ? row[from + i] : extreme;
        }
        float best = 0;
        double least = Double.POSITIVE_INFINITY;
        for (float share : SHARES) {
            for (int sign = -1; sign <= 1; sign += 2) {
                float scale = round(sign * extreme * share / 8);
                double error = 0;
                for (int i = 0; i < GROUP; i++) {
                    double rest = row[from + i] - scale * (code40(row[from + i], scale) - 8);
                    error += rest * rest;
                }
                if (error < least) {
                    least = error;
                    best = scale;
                }
            }
        }
        half(target, at, least == Double.POSITIVE_INFINITY ? extreme / 8 : best);
        for (int i = 0; i < 16; i++) {
            int pair = code40(row[from + i], best) | code40(row[from + 16 + i], best) << 4;
            target.set(JAVA_BYTE, at + 2 + i, (byte) pair);
        }
    }

    private static int code40(float value, float scale) {
        return scale == 0 ? 8 : Math.clamp(Math.round(value / scale) + 8, 0, MOST_4);
    }

    private static void encodeQ4K(float[] row, int from, MemorySegment target, long at) {
        float[] scales = new float[8];
        float[] offsets = new float[8];
        float largestScale = 0;
        float largestOffset = 0;
        for (int group = 0; group < 8; group++) {
            fit(row, from + group * GROUP, scales, offsets, group);
            largestScale = Math.max(largestScale, scales[group]);
            largestOffset = Math.max(largestOffset, offsets[group]);
        }
        float scale = half(target, at, largestScale / MOST_SCALE);
        float offset = half(target, at + 2, largestOffset / MOST_SCALE);
        int[] scaleCodes = new int[8];
        int[] offsetCodes = new int[8];
        for (int group = 0; group < 8; group++) {
            scaleCodes[group] = scale == 0 ? 0 : Math.clamp(Math.round(scales[group] / scale), 0, MOST_SCALE);
            offsetCodes[group] = offset == 0 ? 0 : Math.clamp(Math.round(offsets[group] / offset), 0, MOST_SCALE);
        }
        packScales(scaleCodes, offsetCodes, target, at + 4);
        for (int group = 0; group < 8; group += 2) {
            for (int i = 0; i < GROUP; i++) {
                int low = code4(row[from + group * GROUP + i], scale * scaleCodes[group], offset * offsetCodes[group]);
                int high = code4(
                        row[from + (group + 1) * GROUP + i],
                        scale * scaleCodes[group + 1],
                        offset * offsetCodes[group + 1]);
                target.set(JAVA_BYTE, at + 16 + group * 16L + i, (byte) (low | high << 4));
            }
        }
    }

    private static int code4(float value, float scale, float offset) {
        return scale == 0 ? 0 : Math.clamp(Math.round((value + offset) / scale), 0, MOST_4);
    }

    /// Fits `value = scale · code - offset` to a group: for several ranges the codes, and for these the
    /// scale and offset of the least squared error. An offset is not negative.
    private static void fit(float[] row, int from, float[] scales, float[] offsets, int group) {
        float smallest = 0;
        float largest = row[from];
        for (int i = 0; i < GROUP; i++) {
            smallest = Math.min(smallest, row[from + i]);
            largest = Math.max(largest, row[from + i]);
        }
        if (largest == smallest) {
            // All are the same and not positive: the offset alone.
            scales[group] = 0;
            offsets[group] = -smallest;
            return;
        }
        double least = Double.POSITIVE_INFINITY;
        for (float share : SHARES) {
            float scale = (largest - smallest) * share / MOST_4;
            float offset = -smallest * share;
            for (int pass = 0; pass < 2 && scale > 0; pass++) {
                double error = error(row, from, scale, offset);
                if (error < least) {
                    least = error;
                    scales[group] = scale;
                    offsets[group] = offset;
                }
                double[] line = line(row, from, scale, offset);
                scale = (float) line[0];
                offset = (float) line[1];
            }
        }
    }

    private static double error(float[] row, int from, float scale, float offset) {
        double error = 0;
        for (int i = 0; i < GROUP; i++) {
            double rest = row[from + i] - (scale * code4(row[from + i], scale, offset) - offset);
            error += rest * rest;
        }
        return error;
    }

    /// The line through the group's codes and values with the least squared error.
    private static double[] line(float[] row, int from, float scale, float offset) {
        double codes = 0;
        double squares = 0;
        double values = 0;
        double products = 0;
        for (int i = 0; i < GROUP; i++) {
            int code = code4(row[from + i], scale, offset);
            codes += code;
            squares += code * code;
            values += row[from + i];
            products += code * row[from + i];
        }
        double determinant = GROUP * squares - codes * codes;
        double slope = determinant == 0 ? 0 : (GROUP * products - codes * values) / determinant;
        double intercept = determinant == 0 ? 0 : (values - slope * codes) / GROUP;
        if (intercept > 0) {
            return new double[] {squares == 0 ? 0 : products / squares, 0};
        }
        return new double[] {slope, -intercept};
    }

    /// Packs 8 scales and 8 offsets of 6 bits as [BlockFormat#groupScales] reads them.
    private static void packScales(int[] scales, int[] offsets, MemorySegment target, long at) {
        for (int group = 0; group < 4; group++) {
            target.set(JAVA_BYTE, at + group, (byte) (scales[group] | scales[group + 4] >> 4 << 6));
            target.set(JAVA_BYTE, at + group + 4, (byte) (offsets[group] | offsets[group + 4] >> 4 << 6));
            target.set(JAVA_BYTE, at + group + 8, (byte)
                    (scales[group + 4] & MOST_4 | (offsets[group + 4] & MOST_4) << 4));
        }
    }

    /// Stores a scale and returns what is stored.
    private static float half(MemorySegment target, long at, float value) {
        if (Float.isInfinite(round(value))) {
            throw new IllegalArgumentException(
                    "the scale of a block of weights is " + value + ", larger than the 65504 that F16 holds");
        }
        target.set(JAVA_SHORT_UNALIGNED, at, Float.floatToFloat16(value));
        return round(value);
    }

    private static float round(float value) {
        return Float.float16ToFloat(Float.floatToFloat16(value));
    }
}
