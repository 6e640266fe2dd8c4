package io.shadowkv.engine.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import java.util.List;
import org.junit.jupiter.api.Test;

class DivergenceMeterTest {
    @Test
    void klOfKnownDistributions() {
        // (1/4, 3/4) against (1/2, 1/2), whatever constant is added to the logits.
        float[] p = {5, 5 + (float) Math.log(3)};
        float[] q = {-900, -900};
        double expected = 0.25 * Math.log(0.5) + 0.75 * Math.log(1.5);
        assertThat(DivergenceMeter.kl(p, q)).isCloseTo(expected, within(1e-6));
        assertThat(DivergenceMeter.kl(p, p)).isZero();
    }

    /// A token that a grammar, say, has ruled out.
    @Test
    void whatHasNoProbabilityAddsNothing() {
        float none = Float.NEGATIVE_INFINITY;
        assertThat(DivergenceMeter.kl(new float[] {0, none}, new float[] {0, 0}))
                .isCloseTo(Math.log(2), within(1e-9));
        assertThat(DivergenceMeter.kl(new float[] {0, 0}, new float[] {0, none}))
                .isPositive()
                .isInfinite();
    }

    /// Logits of 30 tokens of 1,000 possible ones take 120,000 bytes.
    @Test
    void soManyAnswersAreKeptAsTheHeapHolds() {
        GenerationOptions thirty = GenerationOptions.DEFAULT.withMaxNewTokens(30);
        Dialogue dialogue = Dialogue.of(Request.of(new int[] {1}, thirty), 31);
        List<Dialogue> four = List.of(dialogue, dialogue, dialogue, dialogue);
        assertThat(StrategyComparison.measurable(four, 1000, 480_000)).isEqualTo(4);
        assertThat(StrategyComparison.measurable(four, 1000, 479_999)).isEqualTo(3);
        assertThat(StrategyComparison.measurable(four, 1000, 1))
                .as("at least one")
                .isEqualTo(1);
    }
}
