package io.shadowkv.engine.laws;

import static io.shadowkv.engine.laws.Logits.ids;
import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.MemoryPlan;
import io.shadowkv.engine.ValuePlace;
import io.shadowkv.engine.batch.Prefix;
import io.shadowkv.engine.batch.Sequence;
import io.shadowkv.op.Backend.Place;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Laws of questions about one document that arrive together: the scheduler reads their turns together, in rows that
/// the options and the memory limit.
public abstract class TurnSchedulingLaws extends DocumentTurnLaws {
    protected TurnSchedulingLaws(BackendUnderTest tested) {
        super(tested);
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
}
