package io.shadowkv.engine.laws;

import static io.shadowkv.engine.laws.Logits.ids;
import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.ValuePlace;
import io.shadowkv.engine.batch.Prefix;
import io.shadowkv.engine.batch.Sequence;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Laws of turns that wait: for memory, or for a reading of other turns about the same document.
public abstract class TurnWaitingLaws extends DocumentTurnLaws {
    protected TurnWaitingLaws(BackendUnderTest tested) {
        super(tested);
    }

    private long readings() {
        return scopes(READINGS);
    }

    /// Runs rounds until all have ended; returns the largest number of readings at a time.
    private long most(SchedulerBench bench, List<Sequence> sequences) {
        long most = readings();
        while (!sequences.stream().allMatch(Sequence::isFinished)) {
            bench.roundAndCheck();
            most = Math.max(most, readings());
        }
        return most;
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
            long turn = free.planner().plan(300, 1).workspaceBytes();
            limits[0] += Math.max(
                    turn, other.resident() + free.planner().plan(110, 1).workspaceBytes());
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
            assertThat(most(bench, List.of(turn))).as("readings").isEqualTo(1);
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
            most(bench, turns);
            List<String> heard = bench.heard();
            assertThat(heard).doesNotContain("turn reads", "question reads");
            assertThat(heard.indexOf("turn token")).isGreaterThan(heard.indexOf("other ended"));
            assertThat(heard.indexOf("question token")).isGreaterThan(heard.indexOf("turn ended"));
            assertThat(turns.getLast().completion().cachedTokens()).isEqualTo(DOCUMENT.length);
            bench.scheduler().prefixes().release(document);
        }
    }

    /// Questions about one document that arrive one after the other: one reading at a time, which has all those that
    /// arrived during the one before. Their answers are those that they get alone.
    @Test
    void questionsThatTrickleInWaitForTheReadingInProgress() {
        try (SchedulerBench bench = open(narrow().withPrefillRows(16))) {
            Prefix document = bench.document(DOCUMENT);
            List<int[]> questions = List.of(question(31, 0), question(16, 1), question(16, 2), question(16, 3));
            List<int[]> alone = questions.stream()
                    .map(question -> bench.finish(bench.submit("alone", question, ANSWER)))
                    .toList();
            List<Sequence> sequences = new ArrayList<>();
            List<String> groups = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                sequences.add(bench.submit("question " + i, questions.get(i), ANSWER));
                bench.roundAndCheck();
                assertThat(readings()).isEqualTo(1);
            }
            sequences.add(bench.submit("question 3", questions.get(3), ANSWER));
            while (!sequences.stream().allMatch(Sequence::isFinished)) {
                bench.roundAndCheck();
                assertThat(readings()).isLessThanOrEqualTo(2);
                backend().purposes().stream()
                        .filter(purpose -> purpose.startsWith("one layer's keys"))
                        .forEach(purpose -> groups.add(purpose.replaceFirst(".* for ", "")));
            }
            assertThat(groups).as("questions that waited are read together").contains("2 turns");
            for (int i = 0; i < sequences.size(); i++) {
                assertThat(sequences.get(i).completion().cachedTokens()).isEqualTo(DOCUMENT.length);
                if (isBatchInvariant()) {
                    assertThat(sequences.get(i).completion().ids()).isEqualTo(alone.get(i));
                }
            }
            bench.scheduler().prefixes().release(document);
            assertThat(bench.scheduler().ledger().entries()).isZero();
        }
    }

    /// A question that waits for a reading keeps nobody else waiting: not a prompt, not a question that is short enough
    /// to be decoded. A reading whose consumers do not keep up is not waited for.
    @Test
    void whoWaitsForAReadingKeepsNobodyWaiting() {
        try (SchedulerBench bench = open(narrow().withPrefillRows(16))) {
            Prefix document = bench.document(DOCUMENT);
            List<Sequence> sequences = new ArrayList<>();
            sequences.add(bench.submit("first", question(60, 0), ANSWER));
            bench.roundAndCheck();
            sequences.add(bench.submit("waits", question(16, 1), ANSWER));
            sequences.add(bench.submit("prompt", ids(20, VOCABULARY, 5), ANSWER));
            sequences.add(bench.submit("short", question(3, 2), ANSWER));
            bench.roundAndCheck();
            assertThat(bench.scheduler().waiting()).isEqualTo(1);
            assertThat(readings()).isEqualTo(2);
            assertThat(bench.heard()).contains("short token");
            bench.consumes(false);
            bench.roundAndCheck();
            assertThat(bench.scheduler().waiting()).isZero();
            bench.consumes(true);
            most(bench, sequences);
            sequences.forEach(
                    sequence -> assertThat(sequence.completion().ids()).hasSize(ANSWER));
            bench.scheduler().prefixes().release(document);
            assertThat(bench.scheduler().ledger().entries()).isZero();
        }
    }
}
