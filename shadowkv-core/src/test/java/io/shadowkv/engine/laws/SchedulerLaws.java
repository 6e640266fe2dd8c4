package io.shadowkv.engine.laws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.shadowkv.RandomCheckpoint;
import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.SequenceSize;
import io.shadowkv.cache.prefill.PrefillSpec;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.MemoryPlan;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.ValuePlace;
import io.shadowkv.engine.batch.Reading;
import io.shadowkv.engine.batch.Sequence;
import io.shadowkv.engine.batch.StepBuilder;
import io.shadowkv.op.Backend.Place;
import io.shadowkv.op.BackendMemoryException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Laws of the scheduler, round by round on one thread: decoding goes on while prompts are read, and the ledger is
/// true at every moment.
public abstract class SchedulerLaws extends BackendLaws {
    private static final int VOCABULARY = 64;

    protected SchedulerLaws(BackendUnderTest tested) {
        super(tested);
    }

    static List<KvCacheSpec> strategies() {
        return STRATEGIES;
    }

    /// Units of prompts have up to four rows.
    private SchedulerBench open(EngineOptions options) {
        return new SchedulerBench(checkpoint(RandomCheckpoint.SMALL), backend(), options.withPrefillRows(4));
    }

    /// Turns that are read together stay within a stated limit: where the workspace of another one does not fit,
    /// its tokens are decoded.
    @ParameterizedTest
    @MethodSource("strategies")
    void turnsStayWithinTheLimit(KvCacheSpec spec) {
        long device;
        long host;
        EngineOptions plain = EngineOptions.DEFAULT.withCache(spec).withValuePlace(ValuePlace.HOST);
        try (SchedulerBench free = open(plain)) {
            MemoryPlan plan = free.planner().plan(300, 3);
            device = 3 * plan.perSequence().resident() + plan.workspaceBytes();
            host = Math.max(1, 3 * plan.perSequence().offloaded());
        }
        boolean isOne = backend().isHostDevice();
        EngineOptions limited = plain.withMemoryLimits(isOne ? device + host : device, isOne ? device + host : host);
        try (SchedulerBench bench = open(limited)) {
            List<Sequence> firsts = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                firsts.add(bench.next("first " + i, new int[0], Logits.ids(100, VOCABULARY, i), null));
                bench.finish(firsts.get(i));
            }
            List<Sequence> turns = new ArrayList<>();
            for (Sequence first : firsts) {
                int[] turn = Logits.ids(60, VOCABULARY, 9 + turns.size());
                turns.add(bench.next("turn " + turns.size(), first.ids(), turn, first.cache()));
            }
            long most = 0;
            while (!turns.stream().allMatch(Sequence::isFinished)) {
                bench.roundAndCheck();
                most = Math.max(
                        most,
                        backend().purposes().stream()
                                .filter(purpose -> purpose.startsWith("activations of a prompt"))
                                .count());
            }
            assertThat(most).as("turns that are read at once").isEqualTo(1);
            for (Sequence turn : turns) {
                assertThat(turn.completion().ids()).hasSize(3);
                bench.scheduler().ledger().free(turn.requireCache());
            }
        }
    }

    /// While a prompt of 100 units is read in turns, another sequence gets a token in every round, unless it outgrows
    /// what is kept whole and is indexed.
    @ParameterizedTest
    @MethodSource("strategies")
    void aTokenArrivesInEveryRoundWhileAPromptIsRead(KvCacheSpec spec) {
        backend().cannotBeDivided();
        try (SchedulerBench bench = open(EngineOptions.DEFAULT.withCache(spec))) {
            Sequence first = bench.submit("first", Logits.ids(60, VOCABULARY, 1), 90);
            while (!bench.heard().contains("first token")) {
                bench.roundAndCheck();
            }
            Sequence second = bench.submit("second", Logits.ids(200, VOCABULARY, 2), 3);
            bench.heard().clear();
            bench.finish(first);
            bench.finish(second);
            int readings = 0;
            for (String event : bench.heard().subList(0, bench.heard().indexOf("first ended"))) {
                readings = event.equals("second reads") ? readings + 1 : 0;
                assertThat(readings).as("units between two tokens").isLessThanOrEqualTo(1);
            }
            assertThat(bench.heard().indexOf("first ended"))
                    .isLessThan(bench.heard().indexOf("second token"));
            assertThat(bench.scheduler().ledger().entries()).isZero();
        }
    }

    /// While prompts are read on a part of the device, another sequence gets a token in every round, and every
    /// answer is the one that its prompt gets alone. Cancelling one of the prompts frees its memory.
    @ParameterizedTest
    @MethodSource("strategies")
    void aTokenArrivesInEveryRoundWhileTheDeviceIsDivided(KvCacheSpec spec) {
        try (SchedulerBench bench = open(EngineOptions.DEFAULT.withCache(spec))) {
            int[] longPrompt = Logits.ids(200, VOCABULARY, 2);
            int[] shortPrompt = Logits.ids(12, VOCABULARY, 3);
            int[] longAlone = bench.finish(bench.submit("alone", longPrompt, 20));
            int[] shortAlone = bench.finish(bench.submit("alone", shortPrompt, 20));
            Sequence first = bench.submit("first", Logits.ids(10, VOCABULARY, 1), 400);
            while (!bench.heard().contains("first token")) {
                bench.roundAndCheck();
            }
            Sequence longer = bench.submit("longer", longPrompt, 20);
            Sequence cancelled = bench.submit("cancelled", Logits.ids(160, VOCABULARY, 4), 20);
            roundsWithTokens(bench, 2);
            Sequence shorter = bench.submit("shorter", shortPrompt, 20);
            cancelled.request().cancellation().cancel();
            while (!(longer.isFinished() && shorter.isFinished())) {
                roundsWithTokens(bench, 1);
            }
            assertThat(cancelled.completion().finish()).isEqualTo(Completion.FinishReason.CANCELLED);
            if (isBatchInvariant()) {
                assertThat(longer.completion().ids()).isEqualTo(longAlone);
                assertThat(shorter.completion().ids()).isEqualTo(shortAlone);
            }
            first.request().cancellation().cancel();
            bench.finish(first);
            assertThat(bench.scheduler().ledger().entries()).isZero();
        }
    }

    private static void roundsWithTokens(SchedulerBench bench, int rounds) {
        for (int i = 0; i < rounds; i++) {
            bench.heard().clear();
            bench.roundAndCheck();
            assertThat(bench.heard()).as("events of a round").contains("first token");
        }
    }

    /// A short prompt that arrives during the reading of a long one is answered first.
    @Test
    void aShortPromptDoesNotWaitForALongOne() {
        try (SchedulerBench bench = open(EngineOptions.DEFAULT)) {
            Sequence longer = bench.submit("long", Logits.ids(400, VOCABULARY, 1), 2);
            bench.roundAndCheck();
            Sequence shorter = bench.submit("short", Logits.ids(8, VOCABULARY, 2), 2);
            bench.finish(longer);
            bench.finish(shorter);
            assertThat(bench.heard().indexOf("short ended"))
                    .isLessThan(bench.heard().indexOf("long token"));
        }
    }

    /// While nobody consumes the events of a full batch, a round does nothing and says so, also if others wait: the
    /// engine's thread must not spin. A cancellation still ends a request.
    @Test
    void aRoundWithoutWorkSaysSo() {
        try (SchedulerBench bench = open(EngineOptions.DEFAULT.withMaxBatch(1))) {
            Sequence first = bench.submit("first", Logits.ids(6, VOCABULARY, 1), 50);
            while (!bench.heard().contains("first token")) {
                assertThat(bench.scheduler().round()).isTrue();
            }
            Sequence second = bench.submit("second", Logits.ids(6, VOCABULARY, 2), 2);
            bench.consumes(false);
            bench.heard().clear();
            assertThat(bench.scheduler().round()).isFalse();
            second.request().cancellation().cancel();
            assertThat(bench.scheduler().round()).isTrue();
            assertThat(bench.heard()).containsExactly("second ended");
            bench.consumes(true);
            assertThat(bench.finish(first)).hasSize(50);
        }
    }

    /// The higher priority first, then the earlier submission.
    @Test
    void priorityDecidesWhoIsAdmittedFirst() {
        try (SchedulerBench bench = open(EngineOptions.DEFAULT.withMaxBatch(1))) {
            List<Sequence> sequences = new ArrayList<>();
            for (int priority : new int[] {0, 2, 0, 5}) {
                Request request = Request.of(
                                Logits.ids(6, VOCABULARY, 1),
                                GenerationOptions.DEFAULT.withMaxNewTokens(2).withIgnoreEos(true))
                        .withPriority(priority);
                sequences.add(bench.submit("p" + priority + "#" + sequences.size(), request));
            }
            sequences.forEach(bench::finish);
            assertThat(bench.heard().stream().filter(event -> event.endsWith(" ended")))
                    .containsExactly("p5#3 ended", "p2#1 ended", "p0#0 ended", "p0#2 ended");
        }
    }

    /// One of two prompts that are read together is cancelled: its memory is free at once, and the other's answer is
    /// the one it gets alone.
    @ParameterizedTest
    @MethodSource("strategies")
    void cancellingOneOfTwoPromptsFreesItsMemory(KvCacheSpec spec) {
        try (SchedulerBench bench = open(EngineOptions.DEFAULT.withCache(spec))) {
            int[] prompt = Logits.ids(4, VOCABULARY, 1);
            int[] alone = bench.finish(bench.submit("alone", prompt, 60));
            Sequence kept = bench.submit("kept", prompt, 60);
            Sequence cancelled = bench.submit("cancelled", Logits.ids(4, VOCABULARY, 2), 60);
            bench.roundAndCheck();
            long both = bench.scheduler().ledger().heldBytes(Place.DEVICE);
            cancelled.request().cancellation().cancel();
            bench.roundAndCheck();
            assertThat(bench.scheduler().ledger().heldBytes(Place.DEVICE)).isEqualTo(both / 2);
            assertThat(cancelled.completion().finish()).isEqualTo(Completion.FinishReason.CANCELLED);
            assertThat(bench.finish(kept)).isEqualTo(alone);
        }
    }

    /// Arrivals and cancellations at random: the ledger is true after every round, every answer is the one that its
    /// prompt gets alone, and nothing is left.
    @ParameterizedTest
    @MethodSource("strategies")
    void anyInterleavingGivesTheAnswersOfEachAlone(KvCacheSpec spec) {
        int tokens = 12;
        try (SchedulerBench bench = open(EngineOptions.DEFAULT.withCache(spec).withMaxBatch(5))) {
            List<int[]> prompts = new ArrayList<>();
            List<int[]> alone = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                int[] prompt = Logits.ids(new int[] {1, 3, 17, 40, 52, 75}[i], VOCABULARY, i);
                prompts.add(prompt);
                alone.add(bench.finish(bench.submit("alone", prompt, tokens)));
            }
            Random random = new Random(20261130);
            List<Sequence> open = new ArrayList<>();
            int completed = 0;
            for (int round = 0; round < 600 || !open.isEmpty(); round++) {
                if (round < 600 && random.nextInt(4) == 0) {
                    int which = random.nextInt(prompts.size());
                    open.add(bench.submit(String.valueOf(which), prompts.get(which), tokens));
                }
                if (!open.isEmpty() && random.nextInt(12) == 0) {
                    open.get(random.nextInt(open.size()))
                            .request()
                            .cancellation()
                            .cancel();
                }
                bench.roundAndCheck();
                for (Sequence sequence : List.copyOf(open)) {
                    if (sequence.isFinished()) {
                        open.remove(sequence);
                        int[] prompt = sequence.request().promptIds();
                        int[] found = sequence.completion().ids();
                        int[] expected = alone.get(prompts.indexOf(prompt));
                        if (sequence.completion().finish() != Completion.FinishReason.CANCELLED) {
                            completed++;
                            assertThat(found).hasSize(tokens);
                        }
                        if (isBatchInvariant()) {
                            assertThat(found).isEqualTo(java.util.Arrays.copyOf(expected, found.length));
                        }
                    }
                }
            }
            assertThat(completed).as("requests that were not cancelled").isGreaterThan(50);
            assertThat(bench.scheduler().isIdle()).isTrue();
            assertThat(bench.scheduler().ledger().entries()).isZero();
            assertThat(backend().purposes()).noneMatch(purpose -> purpose.matches(".*(sequence|prompt) of.*"));
        }
    }

    /// If closing one of the prompts of a reading fails, the others are closed all the same; so they are if the
    /// reading cannot be opened.
    @Test
    void aPromptThatCannotBeClosedLeavesNoOtherOpen() {
        try (SchedulerBench bench = open(EngineOptions.DEFAULT)) {
            CacheStrategy strategy = bench.model().strategy(new KvCacheSpec.Full(), new PrefillSpec.Exact());
            List<Reading.Prompt> prompts = new ArrayList<>();
            for (int capacity : new int[] {30, 31, 32}) {
                prompts.add(new Reading.Prompt(Logits.ids(20, VOCABULARY, capacity), SequenceSize.of(capacity)));
            }
            bench.model().rotary().forSequence(20, 32);
            long before = backend().heldBytes();
            backend().failToClose(".*of a sequence of 3[01] tokens|activations of a prompt.*");
            Reading reading = Reading.open(bench.model(), strategy, prompts, 64);
            assertThatIllegalStateException()
                    .isThrownBy(reading::close)
                    .withMessageContaining("cannot close activations")
                    .satisfies(e -> assertThat(e.getSuppressed()).hasSize(1));
            assertThat(backend().heldBytes()).isEqualTo(before);

            backend().refuse(".*of a sequence of 32 tokens");
            assertThatExceptionOfType(BackendMemoryException.class)
                    .isThrownBy(() -> Reading.open(bench.model(), strategy, prompts, 64))
                    .satisfies(e -> assertThat(e.getSuppressed()).hasSize(1));
            assertThat(backend().heldBytes()).isEqualTo(before);
            backend().failToClose("nothing");
        }
    }

    /// Sequences of every capacity decode in one wave, also if a longer table was made after they were read.
    @Test
    void capacitiesOfAnySizeShareAWave() {
        try (StepBench bench = bench(checkpoint(RandomCheckpoint.SMALL), new KvCacheSpec.Full())) {
            int[] capacities = {30, 3000, 4096};
            for (int slot = 0; slot < capacities.length; slot++) {
                bench.read(slot, Logits.ids(10, VOCABULARY, slot), capacities[slot]);
            }
            StepBuilder.Built built = bench.build(Map.of(0, new int[] {1}, 1, new int[] {2}, 2, new int[] {3}));
            assertThat(built.step().waves()).hasSize(1);
            assertThat(bench.run(built)).hasSize(3);
        }
    }
}
