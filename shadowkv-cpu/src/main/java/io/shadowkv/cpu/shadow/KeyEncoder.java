package io.shadowkv.cpu.shadow;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import io.shadowkv.cpu.vector.FloatRows;
import io.shadowkv.cpu.vector.Scratch;
import io.shadowkv.cpu.vector.Scratch.Use;
import io.shadowkv.op.IndexedLayer.TokenCodes;
import io.shadowkv.op.host.KeyCodes;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/// Encodes keys as token codes. Thread-safe for different tokens.
final class KeyEncoder {
    private final FloatRows keys;
    private final FloatRows means;
    private final MemorySegment codes;
    private final FloatRows scales;
    private final int keyRows;
    private final int capacity;
    private final int blocks;
    private final int headDim;
    private final int words;

    /// @param keys `[H, rows, d]`
    /// @param means F32 `[H, d]`
    /// @param codes I32 `[H, blocks, words, 16]`
    /// @param scales BF16 `[H, blocks * 16]`
    KeyEncoder(Tensor keys, Tensor means, Tensor codes, Tensor scales) {
        this.keys = new FloatRows(keys);
        this.means = new FloatRows(means);
        this.codes = codes.segment();
        this.scales = new FloatRows(scales);
        keyRows = keys.extent(1);
        capacity = scales.extent(1);
        blocks = codes.extent(1);
        headDim = keys.extent(2);
        words = codes.extent(2);
    }

    /// Encodes rows `from` to `from + count` (exclusive) of `head` as tokens `to` and following.
    void encode(int head, int from, int count, int to, Scratch scratch) {
        Objects.checkFromIndexSize(from, count, keyRows);
        Objects.checkFromIndexSize(to, count, capacity);
        float[] key = scratch.floats(Use.ROW, headDim);
        float[] mean = scratch.floats(Use.SECOND_ROW, headDim);
        float[] scale = scratch.floats(Use.SUMS, 1);
        means.load((long) head * headDim, mean, 0, headDim);
        for (int i = 0; i < count; i++) {
            keys.load(((long) head * keyRows + from + i) * headDim, key, 0, headDim);
            for (int e = 0; e < headDim; e++) {
                key[e] -= mean[e];
            }
            KeyCodes.turn(key, 0, headDim);
            scale[0] = encode(key, firstWord(head, to + i));
            scales.store(scale, 0, (long) head * capacity + to + i, 1);
        }
    }

    /// Number of the first int of a token; its other ints follow, a block apart.
    private long firstWord(int head, int token) {
        long block = (long) head * blocks + token / TokenCodes.BLOCK_TOKENS;
        return block * words * TokenCodes.BLOCK_TOKENS + token % TokenCodes.BLOCK_TOKENS;
    }

    /// The code of an element in steps; comparisons, because rounding down takes longer.
    private static int code(float steps) {
        return (steps >= -1 ? 1 : 0) + (steps >= 0 ? 1 : 0) + (steps >= 1 ? 1 : 0);
    }

    /// Writes the code of a turned key and returns its scale.
    private float encode(float[] turned, long firstWord) {
        float magnitude = 0;
        for (int e = 0; e < headDim; e++) {
            magnitude += Math.abs(turned[e]);
        }
        magnitude /= headDim;
        float perStep = magnitude > 0 ? 1 / (KeyCodes.STEP * magnitude) : 0;
        double squares = 0;
        double products = 0;
        for (int w = 0; w < words; w++) {
            int word = 0;
            int end = Math.min(headDim, (w + 1) * KeyCodes.WORD_DIMS);
            for (int e = w * KeyCodes.WORD_DIMS; magnitude > 0 && e < end; e++) {
                int code = code(turned[e] * perStep);
                word |= code << KeyCodes.BITS * e;
                squares += turned[e] * turned[e];
                products += turned[e] * (code - KeyCodes.CENTRE);
            }
            long at = firstWord + (long) w * TokenCodes.BLOCK_TOKENS;
            codes.set(JAVA_INT_UNALIGNED, at * Integer.BYTES, word);
        }
        return magnitude > 0 ? (float) (squares / products) : 0;
    }
}
