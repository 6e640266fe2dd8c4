package io.shadowkv.engine.laws;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;

/// Comparisons and inputs that the laws share.
final class Logits {
    private Logits() {}

    /// `count` ids below `vocabulary`, the same for the same seed.
    static int[] ids(int count, int vocabulary, long seed) {
        return new Random(seed).ints(count, 0, vocabulary).toArray();
    }

    /// @param tolerance largest difference, as a share of the largest expected logit; 0 asks for the same bits
    static void assertSame(String what, float[] found, float[] expected, double tolerance) {
        assertThat(found).as(what).hasSameSizeAs(expected);
        double largest = 0;
        for (float logit : expected) {
            assertThat(logit).as(what + ", an expected logit").isFinite();
            largest = Math.max(largest, Math.abs(logit));
        }
        double worst = 0;
        for (int i = 0; i < found.length; i++) {
            double error = Math.abs((double) found[i] - expected[i]);
            worst = !(error <= worst) ? error : worst;
        }
        assertThat(worst)
                .as(what + ", largest difference of logits up to " + largest)
                .isLessThanOrEqualTo(tolerance * largest);
    }
}
