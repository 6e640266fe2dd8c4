package io.shadowkv.cpu.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/// Sums of exponentials over long rows.
public final class Exponentials {
    /// Elements that are summed in float before the sum is widened to double: 16 to 64 additions per
    /// lane.
    private static final int BLOCK = 256;

    private Exponentials() {}

    /// Sum of `e^((x[i] - largest) * factor)` over the first `count` elements, with a relative error
    /// of 1e-6 apart from the rounding of the exponents. Elements of -infinity count as 0.
    ///
    /// @param largest the largest element, finite
    /// @param factor finite, 0 or more
    public static double sum(float[] x, int count, float largest, float factor) {
        double total = 0;
        for (int from = 0; from < count; from += BLOCK) {
            total += sumOfBlock(x, from, Math.min(count, from + BLOCK), largest, factor);
        }
        return total;
    }

    private static double sumOfBlock(float[] x, int from, int to, float largest, float factor) {
        FloatVector sum = VectorWidth.zero();
        int i = from;
        for (; i <= to - VectorWidth.LANES; i += VectorWidth.LANES) {
            // Finite differences, because the factor may be 0.
            FloatVector logits = VectorMath.vector(x, i);
            FloatVector below = logits.sub(largest).max(-Float.MAX_VALUE);
            VectorMask<Float> isPossible = logits.compare(VectorOperators.GT, Float.NEGATIVE_INFINITY);
            sum = sum.add(VectorMath.exp(below.mul(factor)), isPossible);
        }
        double result = LaneSum.of(sum);
        for (; i < to; i++) {
            if (x[i] > Float.NEGATIVE_INFINITY) {
                result += Math.exp(Math.max(x[i] - largest, -Float.MAX_VALUE) * factor);
            }
        }
        return result;
    }
}
