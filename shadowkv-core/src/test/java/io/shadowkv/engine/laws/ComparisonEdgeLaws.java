package io.shadowkv.engine.laws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.shadowkv.CharacterTokenizer;
import io.shadowkv.RandomCheckpoint;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.Cancellation;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.ContextLengthException;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.GenerationListener;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.MemoryPlan;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.ValuePlace;
import io.shadowkv.engine.serve.Conversation;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.engine.study.ComparedAnswers;
import io.shadowkv.engine.study.Dialogue;
import io.shadowkv.engine.study.Divergence;
import io.shadowkv.op.BackendMemoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Comparisons at the edges: too little memory, too small a capacity, a cancellation, the shortest answers.
public abstract class ComparisonEdgeLaws extends BackendLaws {
    private static final KvCacheSpec FULL = new KvCacheSpec.Full();
    private static final List<KvCacheSpec> BOTH = List.of(FULL, NARROW);
    private static final int CAPACITY = 200;
    private static final GenerationOptions TWELVE =
            GenerationOptions.DEFAULT.withMaxNewTokens(12).withIgnoreEos(true);
    private static final EngineOptions HOST = EngineOptions.DEFAULT.withValuePlace(ValuePlace.HOST);

    protected ComparisonEdgeLaws(BackendUnderTest tested) {
        super(tested);
    }

    private Engine open(EngineOptions options) {
        return Engine.open(checkpoint(RandomCheckpoint.SMALL), backend(), options);
    }

    /// Turns in order.
    private record Turns(List<Request> requests, boolean sharesPrompt) implements Dialogue {
        @Override
        public int turns() {
            return requests.size();
        }

        @Override
        public Request turn(int index, int lastId) {
            return requests.get(index);
        }

        @Override
        public int capacityTokens() {
            return CAPACITY;
        }

        @Override
        public boolean asksPrompt() {
            return !sharesPrompt;
        }

        Turns with(GenerationListener listener) {
            return new Turns(
                    requests.stream()
                            .map(request -> request.withListener(listener))
                            .toList(),
                    sharesPrompt);
        }
    }

    private static Turns turns(boolean sharesPrompt, int... lengths) {
        return new Turns(
                IntStream.range(0, lengths.length)
                        .mapToObj(i -> Request.of(Logits.ids(lengths[i], 64, 17L * lengths.length + i), TWELVE))
                        .toList(),
                sharesPrompt);
    }

    private static List<List<Integer>> ids(ComparedAnswers answers) {
        return answers.turns().stream()
                .map(turn -> IntStream.of(turn.ids()).boxed().toList())
                .toList();
    }

    private static void assertSame(List<List<ComparedAnswers>> found, List<List<ComparedAnswers>> expected) {
        assertThat(found).hasSameSizeAs(expected);
        for (int i = 0; i < found.size(); i++) {
            for (int strategy = 0; strategy < found.get(i).size(); strategy++) {
                ComparedAnswers one = found.get(i).get(strategy);
                ComparedAnswers other = expected.get(i).get(strategy);
                assertThat(ids(one))
                        .as("dialogue " + i + ", strategy " + strategy)
                        .isEqualTo(ids(other));
                Divergence divergence = one.divergence();
                Divergence wanted = other.divergence();
                assertThat(divergence == null).isEqualTo(wanted == null);
                if (divergence != null && wanted != null) {
                    assertThat(divergence.positions()).isEqualTo(wanted.positions());
                    assertThat(divergence.meanKl()).isCloseTo(wanted.meanKl(), within(1e-2 * wanted.meanKl()));
                }
            }
        }
    }

    private static long near(MemoryPlan plan) {
        MemoryPlan.SequenceBytes one = plan.perSequence();
        return one.resident() + (plan.hostIsDevice() ? one.offloaded() : 0);
    }

    /// Room for one sequence under any strategy, but not for two.
    private static EngineOptions tight(Engine wide) {
        long bytes = 0;
        for (KvCacheSpec spec : BOTH) {
            MemoryPlan plan = wide.plan(spec, CAPACITY, 1);
            bytes = Math.max(bytes, near(plan) + plan.workspaceBytes());
        }
        return HOST.withMemoryLimits(bytes, 0);
    }

    /// The question uses the prompt's index, in whichever way the prompt was read.
    @Test
    void questionsOnASharedPromptDoNotDependOnTheMemory() {
        List<Dialogue> dialogues = List.of(turns(true, 80, 30, 40));
        try (Engine wide = open(HOST);
                Engine narrow = open(tight(wide))) {
            assertSame(narrow.compare(dialogues, BOTH, false), wide.compare(dialogues, BOTH, false));
        }
    }

    @Test
    void aTurnPastTheCapacityIsRefused() {
        try (Engine engine = open(HOST)) {
            for (boolean sharesPrompt : new boolean[] {true, false}) {
                Dialogue tooLong = turns(sharesPrompt, 100, 100);
                for (List<KvCacheSpec> specs : List.of(BOTH, List.of(FULL))) {
                    assertThatExceptionOfType(ContextLengthException.class)
                            .isThrownBy(() -> engine.compare(List.of(turns(false, 10), tooLong), specs, false))
                            .withMessage(
                                    "the dialogue holds %d tokens; 100 more leave no room for an answer in its 200. Give it a larger capacity, or ask less",
                                    sharesPrompt ? 100 : 112);
                    assertNoSequenceIsHeld();
                }
            }
        }
    }

    @Test
    void idsOutsideTheVocabularyAreRefused() {
        Request good = Request.of(new int[] {1, 2, 3}, TWELVE);
        Request bad = Request.of(new int[] {1, 64}, TWELVE);
        try (Engine engine = open(HOST)) {
            for (List<Request> requests : List.of(List.of(bad), List.of(good, bad))) {
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> engine.compare(List.of(new Turns(requests, false)), BOTH, false))
                        .withMessage("id 1 of the prompt is 64; the model's vocabulary has ids 0 to 63");
                assertNoSequenceIsHeld();
            }
        }
    }

    private void assertNoSequenceIsHeld() {
        assertThat(backend().purposes()).noneMatch(purpose -> purpose.contains("a sequence of"));
    }

    /// Whichever allocation fails, nothing is held afterwards and the engine goes on.
    @Test
    void exhaustedMemoryLeavesNothingBehind() {
        List<Dialogue> dialogues = List.of(turns(false, 60, 5), turns(false, 70), turns(true, 50, 6, 7));
        try (Engine engine = open(HOST)) {
            List<List<ComparedAnswers>> expected = engine.compare(dialogues, BOTH, true);
            long before = backend().allocations();
            engine.compare(dialogues, BOTH, true);
            long needed = backend().allocations() - before;
            long step = Math.max(1, needed / 40);
            for (long i = 0; i < needed; i += step) {
                backend().exhaustAfter(i);
                assertThatExceptionOfType(BackendMemoryException.class)
                        .as("without allocation " + i + " of " + needed)
                        .isThrownBy(() -> engine.compare(dialogues, BOTH, true));
                assertNoSequenceIsHeld();
            }
            backend().exhaustAfter(-1);
            assertSame(engine.compare(dialogues, BOTH, true), expected);
        }
    }

    /// A cache that is kept for a later turn takes its memory from the next dialogue, under one strategy as under
    /// two, and so do values in host memory.
    @Test
    void noMoreDialoguesAreHeldThanFit() {
        List<Dialogue> dialogues = new ArrayList<>();
        int[] most = new int[1];
        GenerationListener listener = new GenerationListener() {
            @Override
            public void token(int id, String text) {
                most[0] = Math.max(most[0], (int) backend().purposes().stream()
                        .filter(purpose -> purpose.contains("a sequence of " + CAPACITY))
                        .count());
            }
        };
        for (int i = 0; i < 5; i++) {
            dialogues.add(turns(false, 60 + i, 5).with(listener));
        }
        try (Engine wide = open(HOST)) {
            for (List<KvCacheSpec> specs : List.of(List.of(FULL), List.<KvCacheSpec>of(NARROW), BOTH)) {
                most[0] = 0;
                List<List<ComparedAnswers>> expected = wide.compare(dialogues, specs, specs.size() > 1);
                assertThat(most[0]).as("caches without a limit").isGreaterThanOrEqualTo(5);
                assertThat(expected.getFirst().getFirst().together()).isEqualTo(5);
                MemoryPlan full = wide.plan(FULL, CAPACITY, 1);
                MemoryPlan last = wide.plan(specs.getLast(), CAPACITY, 1);
                long workspace = Math.max(full.workspaceBytes(), last.workspaceBytes());
                long whole = specs.size() > 1 ? full.perSequence().resident() : 0;
                long device = 2 * (whole + Math.max(near(last), specs.size() > 1 ? near(full) : 0)) + workspace;
                most[0] = 0;
                try (Engine limited = open(HOST.withMemoryLimits(device, 0))) {
                    List<List<ComparedAnswers>> found = limited.compare(dialogues, specs, specs.size() > 1);
                    assertSame(found, expected);
                    assertThat(found.getFirst().getFirst().together()).isEqualTo(2);
                    assertThat(found.getLast().getFirst().together()).isEqualTo(1);
                }
                assertThat(most[0]).as("caches at once").isEqualTo(specs.size() > 1 ? 4 : 2);
                long offloaded = last.perSequence().offloaded();
                if (!last.hostIsDevice() && offloaded > 0) {
                    try (Engine limited = open(HOST.withMemoryLimits(0, 2 * offloaded))) {
                        assertThat(limited.compare(dialogues, specs, false)
                                        .getFirst()
                                        .getFirst()
                                        .together())
                                .as("with a limit on host memory")
                                .isEqualTo(2);
                    }
                }
            }
        }
    }

    /// The second reading of full attention's answer is cancelled as the first is.
    @Test
    void cancellingWhileTheDivergenceIsMeasuredIsHeardOf() {
        Cancellation cancellation = new Cancellation();
        int[] heard = new int[1];
        GenerationListener listener = new GenerationListener() {
            @Override
            public void token(int id, String text) {
                if (++heard[0] == 24) {
                    cancellation.cancel();
                }
            }
        };
        Request request =
                Request.of(Logits.ids(90, 64, 5), TWELVE).withListener(listener).withCancellation(cancellation);
        try (Engine engine = open(HOST)) {
            assertThatExceptionOfType(CancellationException.class)
                    .isThrownBy(() -> engine.compare(List.of(Dialogue.of(request, 102)), BOTH, true))
                    .withMessage("cancelled while the divergence was measured");
            assertNoSequenceIsHeld();
        }
    }

    /// Measurements in addition to the answers do not change them.
    @Test
    void measuringChangesNothingElse() {
        List<Dialogue> dialogues = List.of(turns(false, 90, 5), turns(false, 70));
        try (Engine engine = open(HOST)) {
            List<List<ComparedAnswers>> plain = engine.compare(dialogues, BOTH, false);
            List<List<ComparedAnswers>> measured = engine.compare(dialogues, BOTH, true);
            for (int i = 0; i < dialogues.size(); i++) {
                assertThat(ids(plain.get(i).getLast()))
                        .as("an answer that is read again")
                        .isNotEqualTo(ids(plain.get(i).getFirst()));
                for (int strategy = 0; strategy < 2; strategy++) {
                    List<Completion> found = measured.get(i).get(strategy).turns();
                    List<Completion> expected = plain.get(i).get(strategy).turns();
                    for (int turn = 0; turn < expected.size(); turn++) {
                        assertThat(found.get(turn).ids())
                                .isEqualTo(expected.get(turn).ids());
                        assertThat(found.get(turn).cache())
                                .isEqualTo(expected.get(turn).cache());
                        assertThat(found.get(turn).timings().decodeSteps()).isEqualTo(11);
                    }
                }
            }
        }
    }

    /// An answer of one token has no position to compare; the turn after it, and other dialogues go on.
    @Test
    void anAnswerMayEndAtOnce() {
        GenerationOptions one = TWELVE.withMaxNewTokens(1);
        Turns longer = turns(false, 70, 5);
        Turns short1 = new Turns(List.of(Request.of(longer.turn(0, -1).promptIds(), one), longer.turn(1, -1)), false);
        Turns only = new Turns(List.of(Request.of(Logits.ids(20, 64, 3), one)), false);
        try (Engine engine = open(HOST);
                Engine narrow = open(HOST.withCache(NARROW))) {
            List<List<ComparedAnswers>> answers = engine.compare(List.of(short1, longer, only), BOTH, true);
            assertThat(answers.get(2).getLast().turns().getFirst().ids()).hasSize(1);
            for (int strategy = 0; strategy < 2; strategy++) {
                try (Conversation conversation = (strategy == 0 ? engine : narrow).converse(CAPACITY)) {
                    for (int turn = 0; turn < 2; turn++) {
                        assertThat(answers.get(0)
                                        .get(strategy)
                                        .turns()
                                        .get(turn)
                                        .ids())
                                .isEqualTo(
                                        conversation.send(short1.turn(turn, -1)).ids());
                    }
                }
            }
            Divergence none = answers.get(0).getLast().divergence();
            assertThat(none).isNotNull();
            assertThat(none.positions()).isZero();
            assertThat(none.meanKl()).isNaN();
            assertThat(answers.get(1).getLast().divergence().positions()).isEqualTo(11);
        }
    }

    /// Whatever ended full attention's answer, all of it is compared.
    @Test
    void anAnswerThatAStopStringEndsIsComparedToItsEnd() {
        Path folder = RandomCheckpoint.TALKING.writeTalking(temporary.resolve("talking"), CharacterTokenizer.END);
        GenerationOptions free = GenerationOptions.DEFAULT.withMaxNewTokens(40);
        int[] prompt = Logits.ids(120, 90, 3);
        try (Engine engine = Engine.open(folder, backend(), HOST)) {
            String text = engine.complete(Request.of(prompt, free)).text();
            String stop = text.substring(6, 8);
            Request request = Request.of(prompt, free.withStopStrings(List.of(stop)));
            List<ComparedAnswers> answers = engine.compare(List.of(Dialogue.of(request, 160)), BOTH, true)
                    .getFirst();
            Completion full = answers.getFirst().turns().getFirst();
            assertThat(full.finish()).isEqualTo(Completion.FinishReason.STOP_STRING);
            assertThat(ids(answers.getLast())).isNotEqualTo(ids(answers.getFirst()));
            assertThat(answers.getLast().divergence()).isNotNull().satisfies(found -> {
                assertThat(found.positions()).isEqualTo(full.ids().length - 1);
                assertThat(found.meanKl()).isPositive();
            });
        }
    }

    /// A sequence that grows beyond longrope's limit is read again, in whichever way it was read first.
    @Test
    void longropesBorderIsCrossedInAComparison() {
        Path folder = checkpoint(RandomCheckpoint.longrope(75));
        List<Dialogue> dialogues = List.of(turns(false, 70, 5), turns(false, 50, 20), turns(true, 60, 7, 30));
        try (Engine wide = Engine.open(folder, backend(), HOST);
                Engine narrow = Engine.open(folder, backend(), tight(wide))) {
            List<List<ComparedAnswers>> expected = wide.compare(dialogues, BOTH, true);
            assertSame(narrow.compare(dialogues, BOTH, true), expected);
            assertThat(expected.getFirst().getLast().divergence().positions()).isEqualTo(11);
            for (int i = 0; i < 2; i++) {
                try (Conversation conversation = wide.converse(CAPACITY)) {
                    for (int turn = 0; turn < 2; turn++) {
                        assertThat(expected.get(i).getFirst().turns().get(turn).ids())
                                .isEqualTo(conversation
                                        .send(dialogues.get(i).turn(turn, -1))
                                        .ids());
                    }
                }
            }
        }
    }
}
