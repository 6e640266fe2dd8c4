package io.shadowkv.eval.ruler;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.eval.ruler.text.SizeSearch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/// Uses a prompt with three tokens for each unit and 20 tokens for the answer.
final class SizeSearchTest {
    private static int stepping(int maxTokens, int most, boolean probesEnd) {
        return new SizeSearch(10, most, probesEnd, 10, 3, 20).stepping(maxTokens, size -> 3 * Math.min(size, most));
    }

    @Test
    void steppingGoesBackOneStep() {
        assertThat(stepping(139, 1000, true)).isEqualTo(30);
        assertThat(stepping(141, 1000, true)).isEqualTo(40);
        assertThat(stepping(49, 1000, true)).isZero();
    }

    @Test
    void steppingThatHitsTheLimitIsOneStepTooHigh() {
        assertThat(stepping(140, 1000, true)).isEqualTo(50);
    }

    @Test
    void steppingStopsWhereTheSourceEnds() {
        assertThat(stepping(10_000, 34, true)).isEqualTo(34);
        assertThat(stepping(10_000, 34, false)).isEqualTo(34);
        // The last units of the source exceed the limit; only with probesEnd is it counted before
        // the end.
        assertThat(stepping(118, 34, true)).isEqualTo(30);
        assertThat(stepping(118, 34, false)).isEqualTo(34);
    }

    @Test
    void bisectingFindsTheLargestSize() {
        for (int maxTokens = 50; maxTokens < 500; maxTokens++) {
            int size = new SizeSearch(10, Integer.MAX_VALUE, true, 10, 3, 20).bisecting(maxTokens, units -> 3 * units);
            assertThat(size).isEqualTo((maxTokens - 20) / 3);
        }
        assertThat(new SizeSearch(10, 0, true, 10, 3, 20).bisecting(30, units -> 3 * units))
                .as("never less than a step")
                .isEqualTo(10);
    }

    /// The original's loop, step by step.
    private static int plainly(int maxTokens, int most, boolean probesEnd) {
        int size = 10;
        int total = 0;
        while (total + 20 < maxTokens) {
            total = 3 * Math.min(size, most);
            if (total + 20 > maxTokens) {
                return size - 10;
            }
            if (probesEnd && size > most) {
                return most;
            }
            size += 10;
            if (!probesEnd && size > most) {
                return most;
            }
        }
        return size;
    }

    @Test
    void steppingEndsWhereTheOriginalDoes() {
        for (int most : new int[] {15, 34, 40, 41, 100, 1000}) {
            for (int maxTokens = 50; maxTokens < 400; maxTokens++) {
                for (boolean probesEnd : new boolean[] {false, true}) {
                    assertThat(stepping(maxTokens, most, probesEnd))
                            .as("%d tokens, source of %d, %s", maxTokens, most, probesEnd)
                            .isEqualTo(plainly(maxTokens, most, probesEnd));
                }
            }
        }
    }

    @Test
    void steppingCountsFewTexts() {
        var counted = new AtomicInteger();
        int size = new SizeSearch(10, Integer.MAX_VALUE, true, 10, 3, 20).stepping(1 << 20, units -> {
            counted.incrementAndGet();
            return 3 * units;
        });
        assertThat(size).isEqualTo(((1 << 20) - 20) / 30 * 10);
        assertThat(counted.get()).isLessThan(40);
    }
}
