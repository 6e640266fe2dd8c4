package io.shadowkv.cpu.vector;

import java.util.BitSet;

/// Finds the k smallest or largest of many floats in linear time, by counting one digit at a time
/// from the highest.
public final class Selection {
    private static final int DIGIT_BITS = 11;
    private static final int BUCKETS = 1 << DIGIT_BITS;

    private Selection() {}

    /// Indices of the `k` smallest values; among equals, lower indices first.
    public static BitSet least(float[] values, int count, int k) {
        int[] keys = new int[count];
        for (int i = 0; i < count; i++) {
            keys[i] = ordered(values[i]);
        }
        return select(keys, k);
    }

    /// Indices of the `k` largest values; among equals, lower indices first.
    public static BitSet largest(float[] values, int count, int k) {
        int[] keys = new int[count];
        for (int i = 0; i < count; i++) {
            keys[i] = ~ordered(values[i]);
        }
        return select(keys, k);
    }

    /// Bits whose unsigned order is the order of the floats.
    private static int ordered(float value) {
        int bits = Float.floatToIntBits(value);
        return bits ^ (bits >> 31 | Integer.MIN_VALUE);
    }

    private static BitSet select(int[] keys, int k) {
        BitSet chosen = new BitSet(keys.length);
        if (k <= 0) {
            return chosen;
        }
        if (k >= keys.length) {
            chosen.set(0, keys.length);
            return chosen;
        }
        int threshold = 0;
        int mask = 0;
        int left = k;
        for (int shift : new int[] {21, 10, 0}) {
            int bits = shift == 0 ? 10 : DIGIT_BITS;
            int[] counts = new int[BUCKETS];
            for (int key : keys) {
                if ((key & mask) == threshold) {
                    counts[key >>> shift & (1 << bits) - 1]++;
                }
            }
            int digit = 0;
            while (counts[digit] < left) {
                left -= counts[digit++];
            }
            threshold |= digit << shift;
            mask |= (1 << bits) - 1 << shift;
        }
        for (int i = 0; i < keys.length; i++) {
            if (Integer.compareUnsigned(keys[i], threshold) < 0 || keys[i] == threshold && left-- > 0) {
                chosen.set(i);
            }
        }
        return chosen;
    }
}
