package io.shadowkv.eval.metric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import java.util.List;
import org.junit.jupiter.api.Test;

/// Computed by hand from Google's `rouge_scorer.py`.
final class RougeLsumTest {
    @Test
    void joinsTheSubsequencesOfAllLines() {
        // w1 w2 | w1 w3 w5 of w1 w2 w3 w4 w5: 4 of 5 words, and 4 of 10 of the answer's.
        String answer = "w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5";
        assertThat(RougeLsum.f(answer, "w1 w2 w3 w4 w5")).isCloseTo(2 * 0.8 * 0.4 / 1.2, offset(1e-12));
    }

    @Test
    void countsAWordAtMostAsOftenAsBothHaveIt() {
        assertThat(RougeLsum.f("the cat", "the dog\nthe cow")).isCloseTo(2 * 0.5 * 0.25 / 0.75, offset(1e-12));
    }

    @Test
    void looksAtLowerCaseLettersAndDigitsOnly() {
        assertThat(RougeLsum.METRIC.score("It's  GREEN—naïve!", List.of("x", "it s green na ve")))
                .isEqualTo(1);
        assertThat(RougeLsum.f("東京", "東京")).isZero();
        assertThat(RougeLsum.f("", "a")).isZero();
    }

    /// Of two longest subsequences, the one with the reference's earlier words is kept: here `a`,
    /// then `b` of another line.
    @Test
    void tiesGoToTheBeginningOfTheReference() {
        assertThat(
                        CommonSubsequence.placesInFirst(
                                        List.of("a", "b"), List.of("b", "a"), CommonSubsequence.Tie.SHORTENS_FIRST)
                                .stream()
                                .boxed())
                .containsExactly(0);
        assertThat(
                        CommonSubsequence.placesInFirst(
                                        List.of("a", "b"), List.of("b", "a"), CommonSubsequence.Tie.SHORTENS_SECOND)
                                .stream()
                                .boxed())
                .containsExactly(1);
    }
}
