package io.shadowkv.engine.laws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.shadowkv.RandomCheckpoint;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.TokenConstraint;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.sampling.LogitChanges;
import io.shadowkv.sampling.Sampler;
import io.shadowkv.sampling.SamplingOptions;
import io.shadowkv.sampling.TokenLogprobs;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Drawing tokens in a batch, in device memory: each sequence gets the tokens that a draw from its own whole rows of
/// logits gives.
public abstract class SamplingLaws extends BackendLaws {
    private static final int VOCABULARY = 64;

    private static final int[] PROMPT = Logits.ids(20, VOCABULARY, 5);

    private static final GenerationOptions TWELVE =
            GenerationOptions.DEFAULT.withMaxNewTokens(12).withIgnoreEos(true);

    protected SamplingLaws(BackendUnderTest tested) {
        super(tested);
    }

    private Engine open() {
        return Engine.open(checkpoint(RandomCheckpoint.SMALL), backend(), EngineOptions.DEFAULT);
    }

    static List<SamplingOptions> options() {
        SamplingOptions plain = SamplingOptions.DEFAULT.withSeed(11);
        return List.of(
                plain,
                plain.withTemperature(0.7).withTopP(0.9),
                plain.withTemperature(3).withTopK(5),
                plain.withMinP(0.1),
                SamplingOptions.GREEDY.withRepetitionPenalty(1.6),
                SamplingOptions.GREEDY.withLogitBias(Map.of(3, 50.0, 9, -100.0)),
                plain.withPresencePenalty(1.5).withFrequencyPenalty(0.7).withRepetitionPenalty(1.2));
    }

    /// The tokens are those that the sampler draws from the rows of `Engine.logits`, and the log probabilities are
    /// those
    /// of these rows.
    @ParameterizedTest
    @MethodSource("options")
    void tokensAreDrawnFromTheWholeRow(SamplingOptions sampling) {
        try (Engine engine = open()) {
            GenerationOptions options = TWELVE.withSampling(sampling).withTopLogprobs(4);
            // A batch: greedy, drawn, greedy with log probabilities.
            List<Completion> completions = engine.complete(List.of(
                    Request.of(PROMPT, TWELVE),
                    Request.of(PROMPT, options),
                    Request.of(PROMPT, TWELVE.withTopLogprobs(0))));
            assertThat(completions.get(2).ids()).isEqualTo(completions.get(0).ids());
            assertThat(completions.get(0).logprobs()).isEmpty();
            Completion drawn = completions.get(1);
            int[] all = Arrays.copyOf(PROMPT, PROMPT.length + 12);
            System.arraycopy(drawn.ids(), 0, all, PROMPT.length, 12);
            List<float[]> rows = new ArrayList<>();
            engine.logits(all, PROMPT.length, true, 0, row -> rows.add(row.clone()));
            Sampler sampler = new Sampler(sampling);
            LogitChanges changes = new LogitChanges(sampling, PROMPT, PROMPT.length);
            for (int i = 0; i < 12; i++) {
                float[] row = rows.get(PROMPT.length - 1 + i);
                TokenLogprobs expected = TokenLogprobs.of(row, drawn.ids()[i], 4);
                TokenLogprobs found = drawn.logprobs().get(i);
                assertThat(found.id()).isEqualTo(drawn.ids()[i]);
                assertThat(found.logprob()).isCloseTo(expected.logprob(), org.assertj.core.data.Offset.offset(1e-3));
                assertThat(found.top()).hasSize(4);
                float[] changed = row.clone();
                changes.apply(changed);
                if (isBatchInvariant()) {
                    assertThat(sampler.next(changed)).as("token " + i).isEqualTo(drawn.ids()[i]);
                }
                changes.add(drawn.ids()[i]);
            }
        }
    }

    /// An id outside the vocabulary would change another sequence's logits. It is refused before anything runs.
    @Test
    void idsOutsideTheVocabularyAreRefused() {
        try (Engine engine = open()) {
            for (GenerationOptions options : List.of(
                    TWELVE.withSampling(SamplingOptions.GREEDY.withLogitBias(Map.of(VOCABULARY, 1.0))),
                    TWELVE.withStopIds(List.of(2_000_000_000)).withMinNewTokens(1))) {
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> engine.submit(Request.of(PROMPT, options)))
                        .withMessageContaining("the model's vocabulary has ids 0 to 63");
                assertThatIllegalArgumentException().isThrownBy(() -> engine.complete(Request.of(PROMPT, options)));
            }
        }
    }

    /// Equal seeds give equal answers, alone and among others; other seeds give others.
    @Test
    void aSeedReproduces() {
        SamplingOptions wild = SamplingOptions.DEFAULT.withTemperature(1.5);
        try (Engine engine = open()) {
            List<Request> requests = new ArrayList<>();
            for (long seed = 0; seed < 5; seed++) {
                requests.add(Request.of(PROMPT, TWELVE.withSampling(wild.withSeed(seed))));
            }
            List<int[]> together =
                    engine.complete(requests).stream().map(Completion::ids).toList();
            assertThat(together.stream().map(Arrays::toString).distinct()).hasSize(5);
            if (isBatchInvariant()) {
                for (int i = 0; i < 5; i++) {
                    assertThat(engine.complete(requests.get(i)).ids()).isEqualTo(together.get(i));
                }
            }
        }
    }

    /// A constraint decides about every token, the first one included, and hears of each; others in the batch are free.
    @ParameterizedTest
    @MethodSource("options")
    void aConstraintHolds(SamplingOptions sampling) {
        for (KvCacheSpec spec : STRATEGIES) {
            try (Engine engine =
                    Engine.open(checkpoint(RandomCheckpoint.SMALL), backend(), EngineOptions.DEFAULT.withCache(spec))) {
                List<Integer> heard = new ArrayList<>();
                Request constrained =
                        Request.of(PROMPT, TWELVE.withSampling(sampling)).withConstraint(() -> new Counting(heard));
                List<Completion> completions =
                        engine.complete(List.of(constrained, Request.of(PROMPT, TWELVE.withSampling(sampling))));
                int[] ids = completions.get(0).ids();
                assertThat(heard)
                        .containsExactlyElementsOf(Arrays.stream(ids).boxed().toList());
                for (int i = 0; i < ids.length; i++) {
                    assertThat(ids[i] % 3).as("token " + i).isEqualTo(i % 3);
                }
                assertThat(completions.get(1).ids()).isNotEqualTo(ids);
            }
        }
    }

    /// Allows ids that are congruent to the number of the token modulo 3.
    private static final class Counting implements TokenConstraint {
        private final List<Integer> heard;

        Counting(List<Integer> heard) {
            this.heard = heard;
        }

        @Override
        public void allowed(int[] bits) {
            Arrays.fill(bits, 0);
            for (int id = heard.size() % 3; id < VOCABULARY; id += 3) {
                bits[id / 32] |= 1 << id % 32;
            }
        }

        @Override
        public void accept(int id) {
            heard.add(id);
        }
    }
}
