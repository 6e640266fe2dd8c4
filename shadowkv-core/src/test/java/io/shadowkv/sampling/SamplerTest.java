package io.shadowkv.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Draws against definitions written out the slow way, and against their own frequencies.
class SamplerTest {
    private static final int[] NO_HISTORY = {};

    private static SamplingOptions options(double temperature, int topK, double topP, double minP) {
        return new SamplingOptions(temperature, topK, topP, minP, 1, 7);
    }

    private static int draw(Sampler sampler, float... logits) {
        return sampler.next(logits.clone(), NO_HISTORY, 0);
    }

    private static float[] randomLogits(int count, long seed) {
        Random random = new Random(seed);
        float[] logits = new float[count];
        for (int i = 0; i < count; i++) {
            logits[i] = (float) (3 * random.nextGaussian());
        }
        return logits;
    }

    @Test
    void greedyTakesTheLargestAndTheFirstOfEquals() {
        Sampler sampler = new Sampler(SamplingOptions.GREEDY);
        assertThat(draw(sampler, -3, 5, 4, 5, -7)).isEqualTo(1);
        assertThat(draw(sampler, 0)).isZero();
        assertThat(draw(sampler, Float.NEGATIVE_INFINITY, -1e30f, Float.NEGATIVE_INFINITY))
                .isEqualTo(1);
    }

    @Test
    void temperatureGoesFromGreedyToEven() {
        float[] logits = {1, 1.001f, -4, 0.9f};
        Sampler cold = new Sampler(options(1e-12, 0, 1, 0));
        Sampler coldest = new Sampler(options(Double.MIN_VALUE, 0, 1, 0));
        for (int i = 0; i < 200; i++) {
            assertThat(draw(cold, logits)).isEqualTo(1);
            assertThat(draw(coldest, logits)).isEqualTo(1);
        }
        // At temperature 100 probabilities differ by at most 5 %.
        double[] expected = softmax(logits, 100);
        assertThat(Arrays.stream(expected).min().orElseThrow()).isGreaterThan(0.23);
        assertFrequencies(new Sampler(options(100, 0, 1, 0)), logits, expected);
    }

    /// What may be drawn, from the definitions: the k most likely; the fewest whose sum reaches p; those at least
    /// minP times as likely as the first. Frequencies are those of the softmax over what is left.
    @ParameterizedTest
    @CsvSource({
        "1, 0, 1, 0",
        "0.7, 5, 1, 0",
        "1.3, 1, 1, 0",
        "1, 0, 0.6, 0",
        "1, 0, 0.05, 0",
        "1, 0, 1, 0.2",
        "2, 12, 0.8, 0.1",
        "1, 1000, 0.999, 0.001",
        "1, 0, 1, 1",
        "0.5, 3, 0.5, 0.9"
    })
    void drawsFollowTheDefinitions(double temperature, int topK, double topP, double minP) {
        for (int seed = 0; seed < 3; seed++) {
            float[] logits = randomLogits(40, seed);
            double[] expected = definition(logits, temperature, topK, topP, minP);
            assertFrequencies(new Sampler(options(temperature, topK, topP, minP)), logits, expected);
        }
    }

    private static double[] definition(float[] logits, double temperature, int topK, double topP, double minP) {
        double[] p = softmax(logits, temperature);
        int[] order = IntStream.range(0, p.length)
                .boxed()
                .sorted((a, b) -> Double.compare(p[b], p[a]))
                .mapToInt(Integer::intValue)
                .toArray();
        BitSet kept = new BitSet();
        for (int rank = 0; rank < p.length; rank++) {
            if (topK == 0 || rank < topK) {
                kept.set(order[rank]);
            }
        }
        normalize(p, kept);
        double before = 0;
        for (int id : order) {
            // The tokens more likely than this one reach the sum without it.
            if (before >= topP || p[id] < minP * p[order[0]]) {
                kept.clear(id);
            }
            before += p[id];
        }
        normalize(p, kept);
        return p;
    }

    private static void normalize(double[] p, BitSet kept) {
        double sum = kept.stream().mapToDouble(id -> p[id]).sum();
        for (int id = 0; id < p.length; id++) {
            p[id] = kept.get(id) ? p[id] / sum : 0;
        }
    }

    private static double[] softmax(float[] logits, double temperature) {
        double[] p = new double[logits.length];
        for (int i = 0; i < p.length; i++) {
            p[i] = Math.exp(logits[i] / temperature);
        }
        double sum = Arrays.stream(p).sum();
        return Arrays.stream(p).map(value -> value / sum).toArray();
    }

    /// Pearson's chi-square of 20,000 draws; rare tokens are put together so that every cell expects 5 or more.
    private static void assertFrequencies(Sampler sampler, float[] logits, double[] expected) {
        int draws = 20_000;
        int[] counts = new int[expected.length];
        for (int i = 0; i < draws; i++) {
            counts[draw(sampler, logits)]++;
        }
        double statistic = 0;
        double restExpected = 0;
        int restFound = 0;
        int cells = 0;
        for (int id = 0; id < expected.length; id++) {
            assertThat(expected[id] > 0 || counts[id] == 0)
                    .as("token " + id + " may not be drawn")
                    .isTrue();
            if (expected[id] * draws >= 5) {
                statistic += square(counts[id] - expected[id] * draws) / (expected[id] * draws);
                cells++;
            } else {
                restExpected += expected[id] * draws;
                restFound += counts[id];
            }
        }
        if (restExpected >= 5) {
            statistic += square(restFound - restExpected) / restExpected;
            cells++;
        }
        // Mean and deviation of chi-square are f and sqrt(2f); six deviations do not happen by chance.
        int freedom = cells - 1;
        assertThat(statistic).isLessThanOrEqualTo(freedom + 6 * Math.sqrt(2.0 * freedom) + 1e-9);
    }

    private static double square(double value) {
        return value * value;
    }

    /// As transformers does it: once for each id that occurred, dividing positive and multiplying negative
    /// logits.
    @Test
    void aRepetitionPenaltyWeakensWhatOccurred() {
        SamplingOptions greedy = new SamplingOptions(0, 0, 1, 0, 2, 0);
        int[] history = {1, 1, 1, 3, 0, 2};
        // Ids 1 and 3 occurred (the history is four long): 6 becomes 3, -1 becomes -2.
        assertThat(new Sampler(greedy).next(new float[] {2.9f, 6, -9, -1}, history, 4))
                .isEqualTo(1);
        assertThat(new Sampler(greedy).next(new float[] {3.1f, 6, -9, -1}, history, 4))
                .isZero();
        assertThat(new Sampler(greedy).next(new float[] {-1.9f, -7, -9, -1}, history, 4))
                .isZero();
        assertThat(new Sampler(greedy).next(new float[] {-2.1f, -7, -9, -1}, history, 4))
                .isEqualTo(3);
        float[] logits = {1, -1, 0, 5};
        new Sampler(greedy).next(logits, new int[] {0, 1, 2}, 3);
        assertThat(logits).containsExactly(0.5f, -2, 0, 5);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, -5, Long.MAX_VALUE})
    void aSeedIsReproducible(long seed) {
        SamplingOptions options = new SamplingOptions(1, 0, 1, 0, 1, seed);
        float[] logits = randomLogits(100, 1);
        assertThat(sequence(options, logits)).isEqualTo(sequence(options, logits));
        SamplingOptions other = new SamplingOptions(1, 0, 1, 0, 1, seed + 1);
        assertThat(sequence(other, logits)).isNotEqualTo(sequence(options, logits));
    }

    private static int[] sequence(SamplingOptions options, float[] logits) {
        Sampler sampler = new Sampler(options);
        return IntStream.range(0, 50).map(i -> draw(sampler, logits)).toArray();
    }

    /// Of equals at the k-th place the lower ids stay.
    @Test
    void tiesGoToLowerIds() {
        Sampler sampler = new Sampler(options(1, 2, 1, 0));
        BitSet drawn = new BitSet();
        for (int i = 0; i < 300; i++) {
            drawn.set(draw(sampler, 1, 4, 2, 4, 4, 4));
        }
        assertThat(drawn.stream()).containsExactly(1, 3);
    }

    @Test
    void whatIsImpossibleIsNeverDrawn() {
        float none = Float.NEGATIVE_INFINITY;
        Sampler sampler = new Sampler(options(50, 0, 1, 0));
        for (int i = 0; i < 2000; i++) {
            assertThat(draw(sampler, none, 1, none, 2, none)).isIn(1, 3);
        }
    }

    @Test
    void whatIsNoNumberIsRefused() {
        for (SamplingOptions options : new SamplingOptions[] {SamplingOptions.GREEDY, options(1, 0, 1, 0)}) {
            Sampler sampler = new Sampler(options);
            assertThatExceptionOfType(LogitsException.class)
                    .isThrownBy(() -> draw(sampler, 1, Float.NaN, 2))
                    .withMessage(
                            "the logit of token 1 is NaN; expected finite numbers. The weights are damaged, or the "
                                    + "model's activations overflow");
            assertThatExceptionOfType(LogitsException.class)
                    .isThrownBy(() -> draw(sampler, Float.NaN))
                    .withMessageStartingWith("the logit of token 0 is NaN");
            assertThatExceptionOfType(LogitsException.class)
                    .isThrownBy(() -> draw(sampler, 1, Float.POSITIVE_INFINITY, 2))
                    .withMessageStartingWith("the logit of token 1 is Infinity; expected finite numbers");
            assertThatExceptionOfType(LogitsException.class)
                    .isThrownBy(() -> draw(sampler, Float.NEGATIVE_INFINITY, Float.NEGATIVE_INFINITY))
                    .withMessageStartingWith(
                            "the logit of token 0 is -Infinity, and no other is larger; expected finite");
        }
    }
}
