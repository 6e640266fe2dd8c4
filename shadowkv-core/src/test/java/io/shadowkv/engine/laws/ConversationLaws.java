package io.shadowkv.engine.laws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.shadowkv.RandomCheckpoint;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.KvCacheSpec.Shadow;
import io.shadowkv.engine.Cancellation;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.Completion.FinishReason;
import io.shadowkv.engine.ContextLengthException;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.EngineUnavailableException;
import io.shadowkv.engine.GenerationListener;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.serve.Conversation;
import io.shadowkv.engine.serve.Engine;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Conversations: turns add up to one sequence, history is read once, and a turn that fails takes nothing along.
public abstract class ConversationLaws extends BackendLaws {
    private static final GenerationOptions FIVE =
            GenerationOptions.DEFAULT.withMaxNewTokens(5).withIgnoreEos(true);

    protected ConversationLaws(BackendUnderTest tested) {
        super(tested);
    }

    static List<KvCacheSpec> strategies() {
        return STRATEGIES;
    }

    private Engine open(KvCacheSpec spec) {
        return Engine.open(checkpoint(RandomCheckpoint.SMALL), backend(), EngineOptions.DEFAULT.withCache(spec));
    }

    /// Full attention, and ShadowKV while everything fits: each answer is that to one prompt of all tokens so
    /// far.
    @Test
    void turnsAddUpToOnePrompt() {
        for (KvCacheSpec spec : List.of(new KvCacheSpec.Full(), Shadow.DEFAULT)) {
            try (Engine engine = open(spec);
                    Conversation conversation = engine.converse(600)) {
                int[] all = {};
                // The third turn is longer than the rows that one step takes.
                for (int turnTokens : new int[] {20, 3, 150, 1}) {
                    int[] turn = Logits.ids(turnTokens, 64, turnTokens);
                    Completion answer = conversation.send(Request.of(turn, FIVE));
                    int[] prompt = join(all, turn);
                    assertThat(answer.ids())
                            .isEqualTo(engine.complete(Request.of(prompt, FIVE)).ids());
                    assertThat(answer.promptTokens()).isEqualTo(turnTokens);
                    all = join(prompt, answer.ids());
                    assertThat(conversation.ids()).isEqualTo(all);
                    assertThat(conversation.length()).isEqualTo(all.length);
                }
                assertThat(conversation.capacity()).isEqualTo(600);
            }
        }
    }

    /// A turn reads its own tokens, in one unit a layer. One that makes a sequence outgrow the budget
    /// reads all of it.
    @ParameterizedTest
    @MethodSource("strategies")
    void historyIsReadOnce(KvCacheSpec spec) {
        try (Engine engine = open(spec);
                Conversation conversation = engine.converse(400)) {
            Readings readings = new Readings();
            conversation.send(Request.of(Logits.ids(30, 64, 1), FIVE).withListener(readings));
            int units = readings.count;
            assertThat(units).as("units of the first turn").isPositive();
            for (int turn = 0; turn < 4; turn++) {
                int before = conversation.length();
                readings.count = 0;
                Completion answer = conversation.send(
                        Request.of(Logits.ids(40, 64, turn), FIVE).withListener(readings));
                assertThat(answer.ids()).hasSize(5);
                assertThat(answer.timings().decodeSteps()).isEqualTo(4);
                assertThat(answer.cache().measured().resident())
                        .isEqualTo(answer.cache().planned().resident());
                boolean outgrows = spec instanceof KvCacheSpec.Shadow && turn == 0;
                // The last token of an answer is not in the cache until the next turn.
                assertThat(answer.cachedTokens()).isEqualTo(outgrows ? 0 : before - 1);
                assertThat(readings.count).as("units of turn " + turn).isEqualTo(units);
            }
            assertThat(conversation.length()).isEqualTo(35 + 4 * 45);
        }
    }

    @Test
    void aTurnThatDoesNotFitChangesNothing() {
        try (Engine engine = open(new KvCacheSpec.Full());
                Conversation conversation = engine.converse(40);
                Conversation twin = engine.converse(40)) {
            int[] first = Logits.ids(20, 64, 1);
            conversation.send(Request.of(first, FIVE));
            twin.send(Request.of(first, FIVE));
            int[] before = conversation.ids();
            assertThatExceptionOfType(ContextLengthException.class)
                    .isThrownBy(() -> conversation.send(Request.of(Logits.ids(11, 64, 2), FIVE)))
                    .withMessage("the conversation holds 25 tokens; 11 more and up to 5 of an answer exceed its 40. "
                            + "Open it with a larger capacity or start anew");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> conversation.send(Request.of(new int[] {64}, FIVE)))
                    .withMessageContaining("the model's vocabulary has ids 0 to 63");
            assertThat(conversation.ids()).isEqualTo(before);
            int[] second = Logits.ids(10, 64, 3);
            assertThat(conversation.send(Request.of(second, FIVE)).ids())
                    .isEqualTo(twin.send(Request.of(second, FIVE)).ids());
            assertThat(conversation.length()).isEqualTo(40);
            assertThatExceptionOfType(ContextLengthException.class)
                    .isThrownBy(() -> engine.converse(5000))
                    .withMessage("a conversation of 5000 tokens would exceed the model's context of 4,096 tokens. "
                            + "Shorten it, or use a model with a longer context.");
        }
    }

    /// An exception in the first or a later turn leaves the conversation where it was before that turn.
    @ParameterizedTest
    @MethodSource("strategies")
    void aTurnThatFailsTakesNothingAlong(KvCacheSpec spec) {
        int[] first = Logits.ids(20, 64, 1);
        int[] second = Logits.ids(10, 64, 2);
        try (Engine engine = open(spec);
                Conversation conversation = engine.converse(400);
                Conversation twin = engine.converse(400)) {
            fail(conversation, first);
            assertThat(conversation.length()).isZero();
            assertThat(backend().purposes()).noneMatch(purpose -> purpose.contains("a sequence of"));
            assertThat(conversation.send(Request.of(first, FIVE)).ids())
                    .isEqualTo(twin.send(Request.of(first, FIVE)).ids());
            fail(conversation, second);
            assertThat(conversation.ids()).isEqualTo(twin.ids());
            assertThat(conversation.send(Request.of(second, FIVE)).ids())
                    .isEqualTo(twin.send(Request.of(second, FIVE)).ids());
            assertThat(conversation.ids()).isEqualTo(twin.ids());
        }
    }

    private static void fail(Conversation conversation, int[] turn) {
        GenerationListener failing = new GenerationListener() {
            private int tokens;

            @Override
            public void token(int id, String text) {
                if (++tokens == 3) {
                    throw new UnsupportedOperationException("enough");
                }
            }
        };
        assertThatExceptionOfType(UnsupportedOperationException.class)
                .isThrownBy(() -> conversation.send(Request.of(turn, FIVE).withListener(failing)))
                .withMessage("enough");
    }

    /// A cancelled turn stays in the conversation as far as it came, whether it was being read or answered.
    @ParameterizedTest
    @MethodSource("strategies")
    void aCancelledTurnCanBeFollowed(KvCacheSpec spec) {
        try (Engine engine = open(spec);
                Conversation conversation = engine.converse(400)) {
            int[] first = Logits.ids(20, 64, 1);
            Cancellation early = new Cancellation();
            early.cancel();
            Completion nothing = conversation.send(Request.of(first, FIVE).withCancellation(early));
            assertThat(nothing.finish()).isEqualTo(FinishReason.CANCELLED);
            assertThat(nothing.ids()).isEmpty();
            assertThat(conversation.ids()).isEqualTo(first);

            Cancellation later = new Cancellation();
            GenerationListener cancelling = new GenerationListener() {
                @Override
                public void token(int id, String text) {
                    later.cancel();
                }
            };
            int[] second = Logits.ids(5, 64, 2);
            Completion one = conversation.send(
                    Request.of(second, FIVE).withListener(cancelling).withCancellation(later));
            assertThat(one.finish()).isEqualTo(FinishReason.CANCELLED);
            assertThat(one.ids()).hasSize(1);
            int[] soFar = join(join(first, second), one.ids());
            assertThat(conversation.ids()).isEqualTo(soFar);

            int[] third = Logits.ids(4, 64, 3);
            assertThat(conversation.send(Request.of(third, FIVE)).ids())
                    .isEqualTo(engine.complete(Request.of(join(soFar, third), FIVE))
                            .ids());
        }
    }

    @Test
    void aClosedConversationSaysSo() {
        try (Engine engine = open(new KvCacheSpec.Full())) {
            Conversation conversation = engine.converse(100);
            conversation.send(Request.of(new int[] {1, 2}, FIVE));
            assertThat(backend().purposes()).anyMatch(purpose -> purpose.contains("a sequence of 100 tokens"));
            conversation.close();
            conversation.close();
            assertThat(backend().purposes()).noneMatch(purpose -> purpose.contains("a sequence of"));
            assertThatIllegalStateException()
                    .isThrownBy(() -> conversation.send(Request.of(new int[] {1}, FIVE)))
                    .withMessage("the conversation is closed");
        }
    }

    private static int[] join(int[] first, int[] second) {
        return IntStream.concat(IntStream.of(first), IntStream.of(second)).toArray();
    }

    private static final class Readings implements GenerationListener {
        private int count;

        @Override
        public void reading(double done) {
            count++;
        }
    }

    /// Turns that overlapped would lose each other's tokens and leak a cache.
    @Test
    void aSecondThreadInAConversationIsRefused() {
        try (Engine engine = open(new KvCacheSpec.Full());
                Conversation conversation = engine.converse(100)) {
            var refusals = new ArrayList<Throwable>();
            GenerationListener second = new GenerationListener() {
                @Override
                public void token(int id, String text) {
                    refusals.add(catchThrowable(() -> conversation.send(Request.of(new int[] {1}, FIVE))));
                    refusals.add(catchThrowable(conversation::close));
                }
            };
            conversation.send(Request.of(Logits.ids(20, 64, 1), FIVE).withListener(second));
            assertThat(refusals)
                    .hasSize(10)
                    .allSatisfy(refusal -> assertThat(refusal)
                            .isInstanceOf(IllegalStateException.class)
                            .hasMessageContaining("another turn of this conversation runs"));
            assertThat(conversation.length()).isEqualTo(25);
        }
    }

    /// The backend's tests fail where memory is left behind.
    @Test
    void closingTheEngineClosesItsConversations() {
        Engine engine = open(new KvCacheSpec.Full());
        Conversation open = engine.converse(100);
        open.send(Request.of(Logits.ids(20, 64, 1), FIVE));
        engine.close();
        assertThatIllegalStateException()
                .isThrownBy(() -> open.send(Request.of(new int[] {1}, FIVE)))
                .withMessageContaining("closed");
        open.close();
        assertThatIllegalStateException().isThrownBy(() -> engine.converse(100)).withMessage("the engine is closed");
    }

    @Test
    void aCapacityWithoutRoomForAnAnswerIsRefused() {
        try (Engine engine = open(new KvCacheSpec.Full())) {
            for (int capacity : new int[] {-5, 0, 1}) {
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> engine.converse(capacity))
                        .withMessageContaining("a conversation of " + capacity + " tokens; expected at least 2");
            }
            assertThatExceptionOfType(ContextLengthException.class).isThrownBy(() -> engine.plan(1_000_000, 1));
        }
    }

    /// The engine computes on a thread of its own, so a listener can close it. Its call ends with the reason.
    @Test
    void closingTheEngineFromAListenerEndsTheCall() {
        try (Engine engine = open(new KvCacheSpec.Full())) {
            Runnable close = engine::close;
            GenerationListener closing = new GenerationListener() {
                @Override
                public void token(int id, String text) {
                    close.run();
                }
            };
            Request request = Request.of(Logits.ids(10, 64, 1), GenerationOptions.DEFAULT.withMaxNewTokens(3));
            assertThatExceptionOfType(EngineUnavailableException.class)
                    .isThrownBy(() -> engine.complete(request.withListener(closing)))
                    .withMessage("the engine is closed");
            backend().assertNothingHeld();
        }
    }

    /// A comparison computes on the calling thread, so what it uses must not be freed under it.
    @Test
    void closingTheEngineFromAListenerOfAComparisonIsRefused() {
        try (Engine engine = open(new KvCacheSpec.Full())) {
            Request request = Request.of(Logits.ids(10, 64, 1), GenerationOptions.DEFAULT.withMaxNewTokens(3));
            List<Runnable> calls = List.of(engine::close, () -> engine.complete(request));
            for (Runnable call : calls) {
                GenerationListener calling = new GenerationListener() {
                    @Override
                    public void token(int id, String text) {
                        call.run();
                    }
                };
                assertThatIllegalStateException()
                        .isThrownBy(
                                () -> engine.compare(request.withListener(calling), List.of(new KvCacheSpec.Full())))
                        .withMessageMatching(".*(called from a listener|uses the engine exclusively).*");
                assertThat(engine.complete(request).ids()).isNotEmpty();
            }
        }
    }

    /// Nothing is computed for the others, and nothing of theirs can be lost.
    @Test
    void aRequestThatCanNeverRunIsRefusedBeforeTheStart() {
        try (Engine engine = open(new KvCacheSpec.Full())) {
            var heard = new Heard();
            Request fits = Request.of(Logits.ids(10, 64, 1), GenerationOptions.DEFAULT.withMaxNewTokens(3))
                    .withListener(heard);
            Request never = Request.of(Logits.ids(100_000, 64, 1), GenerationOptions.DEFAULT);
            assertThatExceptionOfType(ContextLengthException.class)
                    .isThrownBy(() -> engine.complete(List.of(fits, never)));
            assertThat(heard.ids).isEmpty();
        }
    }
}
