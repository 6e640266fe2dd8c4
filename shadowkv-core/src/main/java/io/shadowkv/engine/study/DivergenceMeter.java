package io.shadowkv.engine.study;

import io.shadowkv.engine.answer.LogitsListener;
import io.shadowkv.sampling.Sampler;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Compares a sequence's next-token distributions with those of a reference during generation, as
/// long as both follow the same tokens.
public final class DivergenceMeter implements LogitsListener {
    private final Reference reference;
    private int positions;
    private double sumKl;
    private double maxKl;
    private int sameTop;

    DivergenceMeter(Reference reference) {
        this.reference = reference;
    }

    /// A sequence's answer with the logits of each of its tokens except the first.
    static final class Reference implements LogitsListener {
        private final List<float[]> rows = new ArrayList<>();
        private int[] ids = {};

        @Override
        public void logits(int[] generated, float[] row) {
            if (generated.length > 0) {
                rows.add(row);
            }
        }

        /// Called when the answer is complete.
        void ends(int[] answer) {
            ids = answer;
        }

        int[] ids() {
            return ids;
        }
    }

    @Override
    public void logits(int[] generated, float[] row) {
        int known = generated.length;
        boolean follows = known > 0
                && known < reference.ids.length
                && Arrays.equals(generated, 0, known, reference.ids, 0, known);
        if (!follows) {
            return;
        }
        float[] expected = reference.rows.get(known - 1);
        double kl = kl(expected, row);
        positions++;
        sumKl += kl;
        maxKl = Math.max(maxKl, kl);
        sameTop += Sampler.argmax(expected) == Sampler.argmax(row) ? 1 : 0;
    }

    /// True if every position of the reference was compared.
    boolean isWhole() {
        return positions == Math.max(0, reference.ids.length - 1);
    }

    Divergence result() {
        return new Divergence(positions, sumKl / positions, maxKl, (double) sameTop / positions);
    }

    /// KL(p || q) of two rows of logits, in nats. Clamped to 0, because rounding may make it
    /// slightly negative.
    public static double kl(float[] p, float[] q) {
        double pNorm = logSum(p);
        double qNorm = logSum(q);
        double sum = 0;
        for (int i = 0; i < p.length; i++) {
            double logP = p[i] - pNorm;
            double share = Math.exp(logP);
            // A token of probability 0 under p adds nothing, whatever its probability under q.
            sum += share == 0 ? 0 : share * (logP - (q[i] - qNorm));
        }
        return Math.max(0, sum);
    }

    private static double logSum(float[] row) {
        double max = Double.NEGATIVE_INFINITY;
        for (float logit : row) {
            max = Math.max(max, logit);
        }
        double sum = 0;
        for (float logit : row) {
            sum += Math.exp(logit - max);
        }
        return max + Math.log(sum);
    }
}
