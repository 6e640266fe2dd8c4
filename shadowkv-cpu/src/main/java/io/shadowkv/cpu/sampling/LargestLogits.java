package io.shadowkv.cpu.sampling;

import io.shadowkv.cpu.vector.VectorMath;
import io.shadowkv.cpu.vector.VectorWidth;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/// Selects the k largest logits of a row in one pass. Logits above a bound are collected; when twice
/// as many as wanted are collected, the smaller half is dropped, and the bound rises to the smallest
/// that is kept.
final class LargestLogits {
    private final long[] keys;
    private final int wanted;
    private int count;
    private float bound = Float.NEGATIVE_INFINITY;

    private LargestLogits(int wanted) {
        this.wanted = wanted;
        keys = new long[2 * wanted + VectorWidth.LANES];
    }

    /// Keys of the `wanted` largest of the first `width` logits, or of all above -infinity if there
    /// are fewer, in descending order of the logits.
    static long[] select(float[] row, int width, int wanted) {
        var largest = new LargestLogits(wanted);
        int i = 0;
        for (; i <= width - VectorWidth.LANES; i += VectorWidth.LANES) {
            // Ids ascend, so a later logit that equals the bound is not wanted.
            FloatVector logits = VectorMath.vector(row, i);
            VectorMask<Float> isAbove = logits.compare(VectorOperators.GT, largest.bound);
            if (isAbove.anyTrue()) {
                largest.collect(row, i, i + VectorWidth.LANES);
            }
        }
        largest.collect(row, i, width);
        largest.keepWanted();
        return Arrays.copyOf(largest.keys, largest.count);
    }

    private void collect(float[] row, int from, int to) {
        for (int id = from; id < to; id++) {
            if (row[id] > bound) {
                keys[count++] = keyOf(row[id], id);
            }
        }
        if (count >= 2 * wanted) {
            keepWanted();
        }
    }

    private void keepWanted() {
        Arrays.sort(keys, 0, count);
        if (count >= wanted) {
            count = wanted;
            bound = logitOf(keys[wanted - 1]);
        }
    }

    /// Keys in ascending order are logits in descending order and, among equals, ids in ascending
    /// order. 0 and -0 are equal.
    private static long keyOf(float logit, int id) {
        int bits = Float.floatToIntBits(logit + 0f);
        return (long) ~(bits ^ (bits >> 31 & Integer.MAX_VALUE)) << Integer.SIZE | id;
    }

    static int idOf(long key) {
        return (int) key;
    }

    static float logitOf(long key) {
        int ascending = ~(int) (key >> Integer.SIZE);
        return Float.intBitsToFloat(ascending ^ (ascending >> 31 & Integer.MAX_VALUE));
    }
}
