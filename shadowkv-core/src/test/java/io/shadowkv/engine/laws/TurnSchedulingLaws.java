package io.shadowkv.engine.laws;

import static io.shadowkv.engine.laws.Logits.ids;
import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.RandomCheckpoint;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.KvCacheSpec.Shadow;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.MemoryPlan;
import io.shadowkv.engine.ValuePlace;
import io.shadowkv.engine.batch.Prefix;
import io.shadowkv.engine.batch.Sequence;
import io.shadowkv.op.Backend.Place;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Laws of questions about one document that arrive together: the scheduler reads their turns together, in rows that
/// the options and the memory limit.
public abstract class TurnSchedulingLaws extends BackendLaws {
    private static final int VOCABULARY = 64;

    private static final int[] DOCUMENT = ids(200, VOCABULARY, 1);

    private static final int ANSWER = 4;

    private static final String READINGS = "activations of a prompt.*";

    protected TurnSchedulingLaws(BackendUnderTest tested) {
        super(tested);
    }

    static List<KvCacheSpec> strategies() {
        return List.of(new KvCacheSpec.Full(), NARROW, Shadow.DEFAULT);
    }

    private SchedulerBench open(EngineOptions options) {
        return new SchedulerBench(checkpoint(RandomCheckpoint.SMALL), backend(), options);
    }

    private static EngineOptions narrow() {
        return EngineOptions.DEFAULT.withCache(NARROW).withPrefillRows(64);
    }

    /// A question about the document, of so many tokens.
    private static int[] question(int tokens, int seed) {
        return IntStream.concat(IntStream.of(DOCUMENT), IntStream.of(ids(tokens, VOCABULARY, 100 + seed)))
                .toArray();
    }

    private static List<Sequence> submit(SchedulerBench bench, List<int[]> questions) {
        List<Sequence> sequences = new ArrayList<>();
        for (int[] question : questions) {
            sequences.add(bench.submit("question " + sequences.size(), question, ANSWER));
        }
        return sequences;
    }

    /// Runs rounds until all have ended; returns the largest number of readings at a time.
    private long most(SchedulerBench bench, List<Sequence> sequences, @Nullable Runnable afterRound) {
        long most = 0;
        while (!sequences.stream().allMatch(Sequence::isFinished)) {
            bench.roundAndCheck();
            if (afterRound != null) {
                afterRound.run();
            }
            most = Math.max(most, scopes(READINGS));
        }
        return most;
    }

    private long scopes(String purpose) {
        return backend().purposes().stream()
                .filter(held -> held.matches(purpose))
                .count();
    }

    private static void end(SchedulerBench bench, Prefix document) {
        bench.scheduler().prefixes().release(document);
        assertThat(bench.scheduler().isIdle()).isTrue();
        assertThat(bench.scheduler().ledger().entries()).isZero();
    }

    /// Questions that arrive together are answered as if each had come alone. Where they share an index, one reading
    /// has all their turns.
    @ParameterizedTest
    @MethodSource("strategies")
    void questionsThatArriveTogetherAreReadTogether(KvCacheSpec spec) {
        List<int[]> questions =
                IntStream.range(0, 5).mapToObj(i -> question(16 + 3 * i, i)).toList();
        try (SchedulerBench bench = open(narrow().withCache(spec))) {
            Prefix document = bench.document(DOCUMENT);
            List<int[]> alone = questions.stream()
                    .map(question -> bench.finish(bench.submit("alone", question, ANSWER)))
                    .toList();
            List<Sequence> together = submit(bench, questions);
            bench.roundAndCheck();
            if (spec.equals(NARROW)) {
                assertThat(scopes(READINGS)).isEqualTo(1);
                assertThat(scopes("one layer's keys and values of .* for 5 turns"))
                        .isEqualTo(1);
            }
            most(bench, together, null);
            for (int i = 0; i < questions.size(); i++) {
                assertThat(together.get(i).completion().cachedTokens()).isEqualTo(DOCUMENT.length);
                if (isBatchInvariant()) {
                    assertThat(together.get(i).completion().ids()).isEqualTo(alone.get(i));
                }
            }
            end(bench, document);
        }
    }

    /// Turns read together have at most twice the prefill rows; what is more is another reading.
    @Test
    void rowsOfOneReadingAreBounded() {
        try (SchedulerBench bench = open(narrow().withPrefillRows(32))) {
            Prefix document = bench.document(DOCUMENT);
            List<Sequence> together = submit(
                    bench, IntStream.range(0, 5).mapToObj(i -> question(20, i)).toList());
            bench.roundAndCheck();
            assertThat(scopes("one layer's keys and values of .* for 3 turns")).isEqualTo(1);
            assertThat(scopes("one layer's keys and values of .* for 2 turns")).isEqualTo(1);
            assertThat(most(bench, together, null)).isEqualTo(2);
            end(bench, document);
        }
    }

    /// A question about another document has a reading of its own, and so has a prompt.
    @Test
    void onlyTurnsOfOneDocumentAreReadTogether() {
        try (SchedulerBench bench = open(narrow())) {
            Prefix document = bench.document(DOCUMENT);
            int[] other = ids(180, VOCABULARY, 2);
            Prefix second = bench.document(other);
            int[] about = IntStream.concat(IntStream.of(other), IntStream.of(ids(20, VOCABULARY, 3)))
                    .toArray();
            List<Sequence> together =
                    submit(bench, List.of(question(20, 0), about, ids(30, VOCABULARY, 4), question(20, 1)));
            bench.roundAndCheck();
            assertThat(scopes(READINGS)).isEqualTo(3);
            assertThat(scopes("one layer's keys and values of .* for 2 turns")).isEqualTo(1);
            assertThat(scopes("one layer's keys and values of .* for 1 turns")).isEqualTo(1);
            most(bench, together, null);
            bench.scheduler().prefixes().release(second);
            end(bench, document);
        }
    }

    /// A question that is cancelled while it is read with others: its memory is free at once, and the others' answers
    /// are those that they get alone.
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void cancellingOneOfTheQuestionsDisturbsNobody(int cancelled) {
        List<int[]> questions =
                IntStream.range(0, 3).mapToObj(i -> question(20, i)).toList();
        try (SchedulerBench bench = open(narrow().withPrefillRows(30))) {
            Prefix document = bench.document(DOCUMENT);
            List<int[]> alone = questions.stream()
                    .map(question -> bench.finish(bench.submit("alone", question, ANSWER)))
                    .toList();
            for (int rounds = 0; rounds < 5; rounds++) {
                int before = bench.scheduler().ledger().entries();
                List<Sequence> together = submit(bench, questions);
                for (int i = 0; i < rounds; i++) {
                    bench.roundAndCheck();
                }
                together.get(cancelled).request().cancellation().cancel();
                bench.roundAndCheck();
                assertThat(together.get(cancelled).completion().finish()).isEqualTo(Completion.FinishReason.CANCELLED);
                most(bench, together, null);
                for (int i = 0; i < questions.size(); i++) {
                    if (i != cancelled) {
                        assertThat(together.get(i).completion().ids()).hasSize(ANSWER);
                        if (isBatchInvariant()) {
                            assertThat(together.get(i).completion().ids()).isEqualTo(alone.get(i));
                        }
                    }
                }
                assertThat(bench.scheduler().ledger().entries()).isEqualTo(before);
            }
            end(bench, document);
        }
    }

    /// Turns that are read together stay within a stated limit: the activations of all their rows count. A
    /// question that does not fit waits.
    @Test
    void questionsThatAreReadTogetherStayWithinTheLimit() {
        EngineOptions plain = narrow().withPrefillRows(256).withValuePlace(ValuePlace.HOST);
        List<int[]> questions =
                IntStream.range(0, 5).mapToObj(i -> question(80, i)).toList();
        long device;
        long host;
        try (SchedulerBench free = open(plain)) {
            Prefix document = free.document(DOCUMENT);
            // Room for the document, five forks, and the workspace of 330 rows: four turns.
            MemoryPlan plan = free.planner().plan(330, 1);
            long fork = document.cache().forkFootprint(80 + ANSWER).stream()
                    .mapToLong(part -> part.bytes())
                    .sum();
            var sequence = free.planner().sequence(DOCUMENT.length, 1).bytes();
            device = sequence.resident() + 5 * fork + plan.workspaceBytes();
            host = sequence.offloaded();
            end(free, document);
        }
        boolean isOne = backend().isHostDevice();
        EngineOptions limited = plain.withMemoryLimits(isOne ? device + host : device, isOne ? device + host : host);
        try (SchedulerBench bench = open(limited)) {
            long held = backend().heldBytes();
            Prefix document = bench.document(DOCUMENT);
            List<Sequence> together = submit(bench, questions);
            List<Long> bytes = new ArrayList<>();
            List<String> groups = new ArrayList<>();
            most(bench, together, () -> {
                bytes.add(backend().heldBytes() - held);
                backend().purposes().stream()
                        .filter(purpose -> purpose.startsWith("one layer's keys"))
                        .forEach(groups::add);
            });
            assertThat(bytes).allMatch(now -> now <= device + host);
            assertThat(groups.stream().map(group -> group.replaceFirst(".* for ", "")))
                    .contains("4 turns", "1 turns")
                    .doesNotContain("5 turns");
            for (Sequence sequence : together) {
                assertThat(sequence.completion().ids()).hasSize(ANSWER);
                assertThat(sequence.completion().cachedTokens()).isEqualTo(DOCUMENT.length);
            }
            end(bench, document);
        }
    }

    /// If the backend has less memory than the plan says, fewer turns are read together, or none: all questions are
    /// answered, and nothing stays.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "one layer's keys and values of .* for [34] turns",
                "one layer's keys and values of .* for [234] turns",
                "one layer's keys and values of .* for . turns",
                READINGS
            })
    void aBackendWithLessMemoryReadsFewerTogether(String refused) {
        try (SchedulerBench bench = open(narrow())) {
            Prefix document = bench.document(DOCUMENT);
            backend().refuse(refused);
            List<Sequence> together = submit(
                    bench, IntStream.range(0, 4).mapToObj(i -> question(20, i)).toList());
            List<String> readings = new ArrayList<>();
            most(bench, together, () -> readings.addAll(backend().purposes()));
            assertThat(readings).noneMatch(purpose -> purpose.matches(refused));
            for (Sequence sequence : together) {
                assertThat(sequence.completion().ids()).hasSize(ANSWER);
                assertThat(sequence.completion().cachedTokens()).isEqualTo(DOCUMENT.length);
            }
            end(bench, document);
        }
    }

    /// The memory of a reading is that of the longest sequence, not of the sum.
    @Test
    void theWorkspaceIsNeededOnce() {
        try (SchedulerBench bench = open(narrow())) {
            Prefix document = bench.document(DOCUMENT);
            List<Sequence> one = submit(bench, List.of(question(20, 0)));
            bench.roundAndCheck();
            long alone = backend().bytes(Place.DEVICE, "one layer's keys and values");
            most(bench, one, null);
            List<Sequence> three = submit(
                    bench, IntStream.range(0, 3).mapToObj(i -> question(20, i)).toList());
            bench.roundAndCheck();
            assertThat(backend().bytes(Place.DEVICE, "one layer's keys and values"))
                    .isEqualTo(alone)
                    .isPositive();
            most(bench, three, null);
            end(bench, document);
        }
    }

    /// A conversation whose next turn does not fit in memory while another sequence runs: what the turn would need to
    /// be read is free as soon as the other has ended.
    private static final class ShortOfMemory implements AutoCloseable {
        private static final int TURN = 230;

        private final SchedulerBench bench;
        private final Sequence first;
        private final Sequence kept;
        private final Sequence other;

        ShortOfMemory(SchedulerBench bench) {
            this.bench = bench;
            this.kept = bench.submit("kept", ids(6, VOCABULARY, 1), ANSWER);
            bench.finish(kept);
            this.first = bench.next("first", new int[0], ids(60, VOCABULARY, 2), null);
            bench.finish(first);
            this.other = bench.submit("other", ids(60, VOCABULARY, 3), 50);
            while (!bench.heard().contains("other token")) {
                bench.roundAndCheck();
            }
        }

        Sequence turn() {
            return bench.next("turn", first.ids(), ids(TURN, VOCABULARY, 4), first.cache());
        }

        /// Bytes of what is kept, of the conversation and of the other, and of the workspace that the
        /// turn does not find: in device memory and in host memory.
        static long[] limits(SchedulerBench free) {
            long[] limits = new long[2];
            for (int tokens : new int[] {6 + ANSWER, 300}) {
                var bytes = free.planner().sequence(tokens, 1).bytes();
                limits[0] += bytes.resident();
                limits[1] += bytes.offloaded();
            }
            var other = free.planner().sequence(110, 1).bytes();
            long turn = free.planner().plan(63 + TURN, 1).workspaceBytes();
            limits[0] += Math.max(turn, other.resident() + free.planner().plan(110, 1).workspaceBytes());
            limits[1] += other.offloaded();
            return limits;
        }

        @Override
        public void close() {
            bench.scheduler().ledger().free(first.requireCache());
        }
    }

    private EngineOptions shortOfMemory(KvCacheSpec spec) {
        EngineOptions plain =
                narrow().withCache(spec).withKeptPrompts(3).withMaxBatch(4).withValuePlace(ValuePlace.HOST);
        try (SchedulerBench free = open(plain)) {
            long[] limits = ShortOfMemory.limits(free);
            long all = limits[0] + limits[1];
            return backend().isHostDevice()
                    ? plain.withMemoryLimits(all, all)
                    : plain.withMemoryLimits(limits[0], Math.max(1, limits[1]));
        }
    }

    /// A turn that does not fit waits for memory and is then read in rows. What is kept for others is not given up
    /// for it as long as that would not suffice.
    @ParameterizedTest
    @MethodSource("strategies")
    void aTurnThatDoesNotFitWaits(KvCacheSpec spec) {
        EngineOptions limited = shortOfMemory(spec);
        try (SchedulerBench bench = open(limited);
                ShortOfMemory scene = new ShortOfMemory(bench)) {
            Sequence turn = scene.turn();
            int entries = bench.scheduler().ledger().entries();
            while (!scene.other.isFinished()) {
                bench.roundAndCheck();
                assertThat(bench.scheduler().waiting()).isEqualTo(1);
                assertThat(bench.scheduler().ledger().entries()).isEqualTo(entries);
            }
            assertThat(bench.heard()).doesNotContain("turn token", "turn reads");
            assertThat(most(bench, List.of(turn), null)).as("readings").isEqualTo(1);
            assertThat(bench.heard()).contains("turn reads");
            assertThat(turn.completion().ids()).hasSize(3);
        }
    }

    /// A turn that waits for memory can be cancelled, and its time can pass. The conversation and the other sequence
    /// go on.
    @ParameterizedTest
    @EnumSource(names = {"CANCELLED", "TIMEOUT"})
    void aTurnThatWaitsForMemoryCanEnd(Completion.FinishReason reason) {
        EngineOptions limited = shortOfMemory(NARROW);
        try (SchedulerBench bench = open(limited);
                ShortOfMemory scene = new ShortOfMemory(bench)) {
            bench.timeout(reason == Completion.FinishReason.TIMEOUT ? Duration.ofMillis(5) : null);
            Sequence turn = scene.turn();
            bench.consumes(false);
            bench.roundAndCheck();
            if (reason == Completion.FinishReason.CANCELLED) {
                assertThat(bench.scheduler().waiting()).isEqualTo(1);
                turn.request().cancellation().cancel();
            }
            while (!turn.isFinished()) {
                bench.roundAndCheck();
            }
            assertThat(turn.completion().finish()).isEqualTo(reason);
            bench.consumes(true);
            bench.timeout(null);
            assertThat(bench.finish(scene.other)).hasSize(50);
            assertThat(bench.finish(scene.turn())).hasSize(3);
        }
    }

    /// If the backend has less memory than the plan says, a turn waits as long as another sequence runs, and is
    /// decoded afterwards.
    @ParameterizedTest
    @MethodSource("strategies")
    void aTurnIsDecodedOnlyIfNothingElseRuns(KvCacheSpec spec) {
        try (SchedulerBench bench = open(narrow().withCache(spec));
                ShortOfMemory scene = new ShortOfMemory(bench)) {
            Prefix document = bench.document(DOCUMENT);
            backend().refuse(READINGS);
            List<Sequence> turns = List.of(scene.turn(), bench.submit("question", question(20, 0), ANSWER));
            most(bench, turns, null);
            List<String> heard = bench.heard();
            assertThat(heard).doesNotContain("turn reads", "question reads");
            assertThat(heard.indexOf("turn token")).isGreaterThan(heard.indexOf("other ended"));
            assertThat(heard.indexOf("question token")).isGreaterThan(heard.indexOf("turn ended"));
            assertThat(turns.getLast().completion().cachedTokens()).isEqualTo(DOCUMENT.length);
            bench.scheduler().prefixes().release(document);
        }
    }
}
