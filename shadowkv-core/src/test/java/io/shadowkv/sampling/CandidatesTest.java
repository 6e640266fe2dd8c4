package io.shadowkv.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.op.reference.ReferenceBackend;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// A draw from the largest logits is the draw from the whole row, or none.
class CandidatesTest {
    private static final float NONE = Float.NEGATIVE_INFINITY;
    private static final int CASES = 6_000;

    private final SplittableRandom random = new SplittableRandom(20_261_130);
    private int decided;
    private int undecided;

    /// Candidates as the operation computes them, with log sums that are wrong by up to their largest error.
    private Candidates candidates(float[] row, int k, float inverseTemperature) {
        Tensor values = floats(new float[k], 1, k);
        Tensor ids = floats(new float[k], 1, k);
        ids = new Tensor(DType.I32, ids.shape(), ids.memory(), 0);
        Tensor sums = floats(new float[2], 1, 2);
        new ReferenceBackend()
                .operations()
                .sampling()
                .topLogits(floats(row, 1, row.length), floats(new float[] {inverseTemperature}, 1), values, ids, sums);
        float[] found = Floats.toArray(sums);
        for (int i = 0; i < 2; i++) {
            found[i] += (float) (4.5e-6 * (2 * random.nextDouble() - 1));
        }
        int[] foundIds = ids.segment().toArray(ValueLayout.JAVA_INT_UNALIGNED);
        return Candidates.ofRow(0, Floats.toArray(values), foundIds, found, inverseTemperature);
    }

    private static Tensor floats(float[] values, int... extents) {
        Tensor tensor =
                Tensor.of(DType.F32, Shape.of(extents), MemorySegment.ofArray(new byte[values.length * Float.BYTES]));
        Floats.fill(tensor, values);
        return tensor;
    }

    private float[] row() {
        int vocabulary = 1 + random.nextInt(random.nextBoolean() ? 20 : 600);
        double spread = new double[] {0.01, 1, 3, 10}[random.nextInt(4)];
        float[] row = new float[vocabulary];
        for (int i = 0; i < vocabulary; i++) {
            row[i] = (float) (spread * random.nextGaussian());
        }
        boolean isCoarse = random.nextInt(3) == 0;
        boolean isMasked = random.nextInt(4) == 0;
        int allowed = random.nextInt(vocabulary);
        for (int i = 0; i < vocabulary; i++) {
            row[i] = isCoarse ? Math.round(row[i]) * (i % 2 == 0 ? 1f : 1.00001f) : row[i];
            row[i] = isMasked && i != allowed && random.nextInt(3) > 0 ? NONE : row[i];
        }
        return row;
    }

    private SamplingOptions options() {
        double[] temperatures = {0, 1e-12, 0.01, 0.3, 0.7, 1, 1, 1.3, 2, 100};
        double[] topPs = {1, 1, 0.05, 0.5, 0.9, 0.99, 0.999999};
        int[] topKs = {0, 0, 1, 2, 40, 64, 700};
        double[] minPs = {0, 0, 0.001, 0.1, 1};
        return SamplingOptions.DEFAULT
                .withTemperature(temperatures[random.nextInt(temperatures.length)])
                .withTopP(topPs[random.nextInt(topPs.length)])
                .withTopK(topKs[random.nextInt(topKs.length)])
                .withMinP(minPs[random.nextInt(minPs.length)])
                .withSeed(random.nextLong());
    }

    @Test
    void drawsTheSameTokenFromCandidatesAsFromTheRow() {
        for (int i = 0; i < CASES; i++) {
            float[] row = row();
            SamplingOptions options = options();
            int k = 1 + random.nextInt(random.nextBoolean() ? 8 : 200);
            Sampler fromRow = new Sampler(options);
            Sampler fromCandidates = new Sampler(options);
            for (int token = 0; token < 4; token++) {
                int expected = fromRow.next(row);
                OptionalInt found = fromCandidates.tryNext(candidates(row, k, options.inverseTemperature()));
                decided += found.isPresent() ? 1 : 0;
                undecided += found.isPresent() ? 0 : 1;
                // Without a decision the row decides, with the same random number.
                assertThat(found.isPresent() ? found.getAsInt() : fromCandidates.next(row))
                        .as("case %d: %d of %d logits, token %d, %s", i, k, row.length, token, options)
                        .isEqualTo(expected);
            }
        }
        // Neither side is a rare exception in these cases.
        assertThat(decided).isGreaterThan(CASES);
        assertThat(undecided).isGreaterThan(CASES / 20);
    }

    /// Where the kept tokens are among the candidates, they decide, whatever the tail is.
    @Test
    void enoughCandidatesDecide() {
        float[] row = new float[2000];
        for (int i = 0; i < row.length; i++) {
            row[i] = (float) random.nextGaussian();
        }
        SamplingOptions warm = SamplingOptions.DEFAULT.withTemperature(1.5);
        assertThat(decisions(warm.withTopK(50), row, 50)).isEqualTo(200);
        assertThat(decisions(warm.withMinP(0.5), row, 100)).isEqualTo(200);
        assertThat(decisions(warm.withTopP(0.1), row, 200)).isEqualTo(200);
        float[] masked = row.clone();
        java.util.Arrays.fill(masked, 99, masked.length, NONE);
        assertThat(decisions(warm, masked, 100)).isEqualTo(200);
        // A fifth of the weight is outside: about as many draws are.
        assertThat(decisions(SamplingOptions.DEFAULT, row, 1000)).isBetween(140, 190);
        // The nucleus is larger than the candidates. Only draws of the first tokens are settled.
        assertThat(decisions(warm.withTopP(0.99), row, 100)).isLessThan(100);
    }

    private int decisions(SamplingOptions options, float[] row, int k) {
        Candidates candidates = candidates(row, k, options.inverseTemperature());
        int present = 0;
        for (int seed = 0; seed < 200; seed++) {
            present += new Sampler(options.withSeed(seed)).tryNext(candidates).isPresent() ? 1 : 0;
        }
        return present;
    }

    @Test
    void refusesASumOfAnotherTemperature() {
        Candidates candidates = candidates(new float[] {1, 2, 3}, 2, 1);
        Sampler sampler = new Sampler(SamplingOptions.DEFAULT.withTemperature(0.5));
        assertThatThrownBy(() -> sampler.tryNext(candidates))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "the candidates' sum was computed with an inverse temperature of 1.0; the sampler's is 2.0");
    }

    @Test
    void aRowOfNoNumbersIsRefused() {
        assertThatThrownBy(() -> candidates(new float[] {1, Float.NaN}, 2, 1))
                .isInstanceOf(LogitsException.class)
                .hasMessageStartingWith("a logit is NaN, or the largest is not finite");
    }

    @Test
    void logprobsOfCandidatesAreThoseOfTheRow() {
        for (int i = 0; i < 500; i++) {
            float[] row = row();
            int k = 1 + random.nextInt(100);
            Candidates candidates = candidates(row, k, 1);
            int id = candidates.id(random.nextInt(candidates.size()));
            int count = random.nextInt(Math.min(21, candidates.size() + 1));
            TokenLogprobs expected = TokenLogprobs.of(row, id, count);
            TokenLogprobs found = TokenLogprobs.of(candidates, id, count).orElseThrow();
            assertThat(Math.abs(found.logprob() - expected.logprob()) <= 1e-5).isTrue();
            assertThat(found.logprob() - plainLogprob(row, id)).isBetween(-1e-5, 1e-5);
            assertThat(found.top().stream().map(TokenLogprobs.Top::id))
                    .isEqualTo(
                            expected.top().stream().map(TokenLogprobs.Top::id).toList());
            for (int j = 0; j < count; j++) {
                double error =
                        found.top().get(j).logprob() - expected.top().get(j).logprob();
                assertThat(Math.abs(error) <= 1e-5).isTrue();
            }
        }
    }

    private static double plainLogprob(float[] row, int id) {
        double sum = 0;
        for (float logit : row) {
            sum += Math.exp(logit);
        }
        return row[id] - Math.log(sum);
    }

    @Test
    void logprobsOutsideTheCandidatesNeedTheRow() {
        float[] row = {1, 5, 3, NONE, 4};
        Candidates two = candidates(row, 2, 1);
        assertThat(TokenLogprobs.of(two, 2, 1)).isEmpty();
        assertThat(TokenLogprobs.of(two, 1, 3)).isEmpty();
        assertThat(TokenLogprobs.of(two, 1, 2)).isPresent();
        // Five were asked for and four found, so these are all.
        Candidates all = candidates(row, 5, 1);
        assertThat(TokenLogprobs.of(all, 3, 5).orElseThrow().logprob()).isEqualTo(Double.NEGATIVE_INFINITY);
        assertThat(TokenLogprobs.of(all, 3, 5).orElseThrow().top()).hasSize(4);
        assertThat(TokenLogprobs.of(row, 3, 5).top()).hasSize(4);
        assertThat(TokenLogprobs.of(row, 3, 5).logprob()).isEqualTo(Double.NEGATIVE_INFINITY);
        assertThat(TokenLogprobs.of(new float[] {2, 2, 7, 2}, 0, 3).top().stream()
                        .map(TokenLogprobs.Top::id))
                .containsExactly(2, 0, 1);
    }
}
