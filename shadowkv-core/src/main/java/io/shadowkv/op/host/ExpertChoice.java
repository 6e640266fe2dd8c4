package io.shadowkv.op.host;

import io.shadowkv.tensor.Tensor;
import java.lang.foreign.ValueLayout;

/// The choice of experts where the host computes. A few hundred numbers a row: plain loops in double
/// are fast enough for every host backend.
public final class ExpertChoice {
    private ExpertChoice() {}

    /// See [io.shadowkv.op.DenseOperations#chooseExperts].
    public static void choose(Tensor logits, boolean isNormalised, Tensor ids, Tensor shares) {
        int experts = logits.extent(1);
        int count = ids.extent(1);
        for (int row = 0; row < logits.extent(0); row++) {
            double[] values = new double[experts];
            double largest = Double.NEGATIVE_INFINITY;
            for (int i = 0; i < experts; i++) {
                values[i] = logits.segment().getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, (long) row * experts + i);
                largest = Math.max(largest, values[i]);
            }
            double sum = 0;
            for (double value : values) {
                sum += Math.exp(value - largest);
            }
            int[] chosen = largest(values, count);
            double chosenSum = 0;
            for (int id : chosen) {
                chosenSum += Math.exp(values[id] - largest);
            }
            for (int i = 0; i < count; i++) {
                long at = (long) row * count + i;
                double share = Math.exp(values[chosen[i]] - largest) / (isNormalised ? chosenSum : sum);
                // A NaN anywhere in the row reaches every share through the sum.
                double kept = Double.isNaN(sum) ? Double.NaN : share;
                ids.segment().setAtIndex(ValueLayout.JAVA_INT_UNALIGNED, at, chosen[i]);
                shares.segment().setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, at, (float) kept);
            }
        }
    }

    private static int[] largest(double[] values, int count) {
        boolean[] isTaken = new boolean[values.length];
        int[] chosen = new int[count];
        for (int i = 0; i < count; i++) {
            int best = -1;
            for (int at = 0; at < values.length; at++) {
                if (!isTaken[at] && (best < 0 || values[at] > values[best])) {
                    best = at;
                }
            }
            isTaken[best] = true;
            chosen[i] = best;
        }
        return chosen;
    }
}
