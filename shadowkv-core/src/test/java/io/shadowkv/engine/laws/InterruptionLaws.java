package io.shadowkv.engine.laws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.shadowkv.CharacterTokenizer;
import io.shadowkv.RandomCheckpoint;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.Cancellation;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.Completion.FinishReason;
import io.shadowkv.engine.ContextLengthException;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.GenerationListener;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.serve.Conversation;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.sampling.SamplingOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Cancellations, exceptions and refusals: who asked hears of it, nobody else does, and nothing is left behind.
public abstract class InterruptionLaws extends BackendLaws {
    private static final int[] PROMPT = CharacterTokenizer.ids("once upon a time there was");

    private static final GenerationOptions WILD = GenerationOptions.DEFAULT
            .withMaxNewTokens(60)
            .withIgnoreEos(true)
            .withSampling(new SamplingOptions(1.5, 0, 1, 0, 1, 42));

    protected InterruptionLaws(BackendUnderTest tested) {
        super(tested);
    }

    static List<KvCacheSpec> strategies() {
        return STRATEGIES;
    }

    private Path talking() {
        return RandomCheckpoint.TALKING.writeTalking(temporary.resolve("talking"), CharacterTokenizer.END);
    }

    private Engine open(Path folder) {
        return Engine.open(folder, backend(), EngineOptions.DEFAULT);
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void cancellingWhileReadingEndsTheReading(KvCacheSpec spec) {
        EngineOptions options = EngineOptions.DEFAULT.withCache(spec).withPrefillRows(4);
        try (Engine engine = Engine.open(talking(), backend(), options)) {
            engine.complete(Request.of(PROMPT, WILD));
            long held = backend().heldBytes();
            Cancellation cancellation = new Cancellation();
            int[] heardAfter = new int[1];
            GenerationListener listener = new GenerationListener() {
                @Override
                public void reading(double done) {
                    heardAfter[0] += cancellation.isRequested() ? 1 : 0;
                    cancelElsewhere(cancellation);
                }
            };
            int[] longPrompt = Logits.ids(100, 90, 3);
            Completion completion = engine.complete(
                    Request.of(longPrompt, WILD).withListener(listener).withCancellation(cancellation));
            assertThat(completion.finish()).isEqualTo(FinishReason.CANCELLED);
            assertThat(completion.ids()).isEmpty();
            assertThat(completion.text()).isEmpty();
            assertThat(heardAfter[0]).as("pieces read after the cancellation").isZero();
            assertThat(backend().heldBytes())
                    .as("bytes held afterwards: %s", backend().purposes())
                    .isEqualTo(held);
            assertThat(engine.complete(Request.of(PROMPT, WILD)).ids()).hasSize(60);
        }
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void cancellingWhileDecodingEndsOnlyThatSequence(KvCacheSpec spec) {
        try (Engine engine = Engine.open(talking(), backend(), EngineOptions.DEFAULT.withCache(spec))) {
            Completion alone = engine.complete(Request.of(PROMPT, WILD));
            List<String> held = backend().purposes();
            Cancellation cancellation = new Cancellation();
            Heard heard = new Heard() {
                @Override
                public void token(int id, String piece) {
                    super.token(id, piece);
                    if (ids.size() == 7) {
                        cancelElsewhere(cancellation);
                    }
                }
            };
            List<Completion> completions = engine.complete(List.of(
                    Request.of(PROMPT, WILD.withStopStrings(List.of("~~~~")))
                            .withListener(heard)
                            .withCancellation(cancellation),
                    Request.of(PROMPT, WILD)));
            assertThat(completions.get(0).finish()).isEqualTo(FinishReason.CANCELLED);
            assertThat(completions.get(0).ids()).hasSize(7);
            assertThat(heard.text).hasToString(completions.get(0).text());
            assertThat(completions.get(1).ids()).hasSize(alone.ids().length);
            assertThat(completions.get(1).finish()).isEqualTo(FinishReason.MAX_NEW_TOKENS);
            assertThat(backend().purposes())
                    .noneMatch(purpose -> purpose.contains("sequence of") && !held.contains(purpose));
        }
    }

    private static void cancelElsewhere(Cancellation cancellation) {
        try {
            Thread.ofPlatform().start(cancellation::cancel).join();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    static List<RuntimeException> exceptions() {
        return List.of(
                new IllegalStateException("the listener's own"), new CancellationException("the listener's too"));
    }

    /// A listener's exception comes back to the caller, whatever its type; the engine goes on as if nothing had
    /// been.
    @ParameterizedTest
    @MethodSource("exceptions")
    void aListenersExceptionLeavesTheEngineAsItWas(RuntimeException failure) {
        try (Engine engine = open(talking())) {
            int[] expected = engine.complete(Request.of(PROMPT, WILD)).ids();
            for (int failAt : new int[] {-1, 1, 9}) {
                Heard failing = new Heard() {
                    @Override
                    public void reading(double done) {
                        if (failAt < 0) {
                            throw failure;
                        }
                    }

                    @Override
                    public void token(int id, String piece) {
                        super.token(id, piece);
                        if (ids.size() == failAt) {
                            throw failure;
                        }
                    }
                };
                Request request = Request.of(PROMPT, WILD).withListener(failing);
                assertThatExceptionOfType(failure.getClass())
                        .isThrownBy(() -> engine.complete(List.of(request, Request.of(PROMPT, WILD))))
                        .isSameAs(failure);
            }
            // A batch of two may have grown what the engine keeps for its steps, but sequences are gone.
            assertThat(backend().purposes()).noneMatch(purpose -> purpose.contains("keys and values of a sequence"));
            assertThat(engine.complete(Request.of(PROMPT, WILD)).ids()).isEqualTo(expected);
        }
    }

    @Test
    void whatCannotBeDoneIsSaid() {
        var tight = new RandomCheckpoint("llama", 1, 2, 1, 16, 64, 2000, "");
        try (Engine engine = open(checkpoint(tight))) {
            long allocations = backend().allocations();
            assertThatExceptionOfType(ContextLengthException.class)
                    .isThrownBy(() -> engine.complete(Request.of(new int[2001], WILD)))
                    .withMessage("prompt has 2,001 tokens; the model's context is 2,000. "
                            + "Shorten it, or use a model with a longer context.");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> engine.complete(Request.of(new int[] {1, 64}, WILD)))
                    .withMessage("id 1 of the prompt is 64; the model's vocabulary has ids 0 to 63");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> engine.complete(Request.of(new int[] {-1}, WILD)))
                    .withMessage("id 0 of the prompt is -1; the model's vocabulary has ids 0 to 63");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Request.of(new int[0], WILD))
                    .withMessage("the prompt has no tokens; give at least one");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> engine.complete(Request.of(new int[] {1}, WILD.withStopStrings(List.of("x")))))
                    .withMessageContaining("stop strings need a tokenizer")
                    .withMessageContaining("Leave them out");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> engine.logits(new int[] {1}, 2, false, 0, row -> {}))
                    .withMessage("1 ids, 2 of them by prefill, 0 to generate; expected at least one id, "
                            + "1 to all of them by prefill, and 0 or more to generate");
            assertThatExceptionOfType(ContextLengthException.class)
                    .isThrownBy(() -> engine.logits(new int[2000], 1, false, 1, row -> {}))
                    .withMessage("2000 ids and 1 more would exceed the model's context of 2,000 tokens. "
                            + "Shorten it, or use a model with a longer context.");
            assertThat(backend().allocations())
                    .as("allocations by refused requests")
                    .isEqualTo(allocations);
        }
    }

    /// A comparison that crosses longrope's border, and one that a listener breaks off, leave nothing behind.
    @Test
    void aComparisonLeavesNothingBehind() {
        Path folder = checkpoint(RandomCheckpoint.longrope(50));
        List<KvCacheSpec> specs = List.of(new KvCacheSpec.Full(), NARROW);
        Request request = Request.of(Logits.ids(46, 64, 1), WILD.withMaxNewTokens(10));
        try (Engine engine = open(folder)) {
            List<Completion> compared = engine.compare(request, specs);
            assertThat(compared.getFirst().ids())
                    .isEqualTo(engine.complete(request).ids());
            assertThat(backend().purposes()).noneMatch(purpose -> purpose.contains("a sequence of"));
            GenerationListener failing = new GenerationListener() {
                @Override
                public void token(int id, String piece) {
                    throw new UnsupportedOperationException("enough");
                }
            };
            assertThatExceptionOfType(UnsupportedOperationException.class)
                    .isThrownBy(() -> engine.compare(request.withListener(failing), specs));
            assertThat(backend().purposes()).noneMatch(purpose -> purpose.contains("a sequence of"));
        }
    }

    @Test
    void aClosedEngineSaysSo() {
        Engine engine = open(talking());
        Conversation conversation = engine.converse(100);
        engine.tokenizer();
        engine.close();
        engine.close();
        backend().assertNothingHeld();
        assertThatIllegalStateException()
                .isThrownBy(() -> engine.complete(Request.of(PROMPT, WILD)))
                .withMessage("the engine is closed");
        assertThatIllegalStateException()
                .isThrownBy(() -> engine.logits(PROMPT, 1, false, 0, row -> {}))
                .withMessage("the engine is closed");
        assertThatIllegalStateException()
                .isThrownBy(() -> conversation.send(Request.of(PROMPT, WILD.withMaxNewTokens(1))))
                .withMessage("the engine is closed");
    }
}
