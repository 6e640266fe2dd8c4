package io.shadowkv.engine.laws;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.RandomCheckpoint;
import io.shadowkv.cache.IndexSpec;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.KvCacheSpec.Shadow;
import io.shadowkv.cache.ValueFormat;
import io.shadowkv.engine.Cancellation;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.Completion.FinishReason;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.EngineOptions.Growth;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.MemoryPlan;
import io.shadowkv.engine.Preemptions;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.ValuePlace;
import io.shadowkv.engine.batch.Sequence;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.engine.serve.Generation;
import io.shadowkv.op.Backend.Place;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntFunction;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Laws of memory that grows: the answer does not depend on when a sequence gets its memory, the
/// ledger is true after every step, and sequences that take turns with the memory all get their
/// answers.
public abstract class GrowthLaws extends BackendLaws {
    private static final int VOCABULARY = 64;
    private static final int[] LENGTHS = {30, 43, 100};
    private static final int LONGEST = 160;
    private static final int MANY = 7;
    private static final Growth SMALL = new Growth(3, 20);
    private static final GenerationOptions ANSWER =
            GenerationOptions.DEFAULT.withMaxNewTokens(60).withIgnoreEos(true);

    protected GrowthLaws(BackendUnderTest tested) {
        super(tested);
    }

    static List<KvCacheSpec> strategies() {
        return STRATEGIES;
    }

    /// Every kind of index and of values.
    static List<KvCacheSpec> kinds() {
        return List.of(
                new KvCacheSpec.Full(),
                NARROW,
                new Shadow(
                        new IndexSpec.TokenCodes(),
                        12,
                        new Shadow.Budget(16),
                        new Shadow.Residency(8, 8, 16),
                        ValueFormat.AS_KEYS),
                NARROW.withFirstLayers(8),
                NARROW.withValues(ValueFormat.I8),
                NARROW.withValues(ValueFormat.F8));
    }

    private static EngineOptions options(KvCacheSpec spec, Growth growth) {
        return EngineOptions.DEFAULT.withCache(spec).withGrowth(growth).withPrefillRows(16);
    }

    private Engine open(EngineOptions options) {
        return Engine.open(checkpoint(RandomCheckpoint.SMALL), backend(), options);
    }

    private static Request request(int number) {
        return Request.of(Logits.ids(LENGTHS[number % LENGTHS.length], VOCABULARY, number), ANSWER);
    }

    /// A short prompt with a long answer: several are read, and do not fit when they are long.
    private static Request growing(int number) {
        return Request.of(
                Logits.ids(20 + 10 * (number % 4), VOCABULARY, number), ANSWER.withMaxNewTokens(LONGEST - 50));
    }

    /// Memory for one sequence that is as long as the longest gets, and the workspace of its prompt.
    private EngineOptions tight(KvCacheSpec spec) {
        try (Engine engine = open(options(spec, SMALL).withValuePlace(ValuePlace.HOST))) {
            MemoryPlan plan = engine.plan(LONGEST, 1);
            long device = plan.perSequence().resident() + plan.workspaceBytes();
            long both = device + plan.perSequence().offloaded();
            long host = 9 * plan.perSequence().total();
            return options(spec, SMALL)
                    .withValuePlace(ValuePlace.HOST)
                    .withMemoryLimits(backend().isHostDevice() ? both : device, host);
        }
    }

    private List<int[]> alone(KvCacheSpec spec, int count, IntFunction<Request> requests) {
        List<int[]> answers = new ArrayList<>();
        try (Engine engine = open(options(spec, new Growth(1000, 1000)))) {
            for (int i = 0; i < count; i++) {
                answers.add(engine.complete(requests.apply(i)).ids());
            }
        }
        return answers;
    }

    /// A prompt that fits the resident region, one that just fits, and one that is indexed at once.
    @ParameterizedTest
    @MethodSource("kinds")
    void aGrowingSequenceAnswersAsOneWithAllItsMemory(KvCacheSpec spec) {
        List<int[]> expected = alone(spec, LENGTHS.length, GrowthLaws::request);
        for (Growth growth : List.of(SMALL, new Growth(1, 4))) {
            ValuePlace place = growth.equals(SMALL) ? ValuePlace.HOST : ValuePlace.DEVICE;
            try (Engine engine = open(options(spec, growth).withValuePlace(place))) {
                for (int i = 0; i < LENGTHS.length; i++) {
                    Completion completion = engine.complete(request(i));
                    String what = spec + ", " + growth + ", " + LENGTHS[i] + " tokens, values at " + place;
                    assertThat(completion.ids()).as(what).isEqualTo(expected.get(i));
                    var report = completion.cache();
                    assertThat(report.measured().resident())
                            .as(what)
                            .isEqualTo(report.planned().resident());
                    assertThat(report.measured().offloaded())
                            .as(what)
                            .isEqualTo(report.planned().offloaded());
                }
            }
        }
    }

    /// What a sequence holds follows its length. The bench compares the ledger with the bytes of all
    /// scopes after each round.
    @ParameterizedTest
    @MethodSource("strategies")
    void theLedgerFollowsTheLength(KvCacheSpec spec) {
        try (SchedulerBench bench = new SchedulerBench(
                checkpoint(RandomCheckpoint.SMALL), backend(), options(spec, new Growth(2, 8)))) {
            Sequence sequence = bench.grow("one", request(2));
            long before = 0;
            int changes = 0;
            while (!sequence.isFinished()) {
                bench.roundAndCheck();
                long held = bench.scheduler().ledger().heldBytes(Place.DEVICE)
                        + bench.scheduler().ledger().heldBytes(Place.HOST);
                if (!sequence.isFinished()) {
                    assertThat(held).isGreaterThanOrEqualTo(before);
                    changes += held > before ? 1 : 0;
                    before = held;
                }
            }
            long whole = bench.planner().sequence(LONGEST, 1).bytes().total();
            assertThat(changes).as("times that the sequence got memory").isGreaterThan(4);
            assertThat(before).isBetween(whole * 9 / 10, whole);
        }
    }

    /// All grow at the same time, and only one of them fits when it is long.
    @ParameterizedTest
    @MethodSource("strategies")
    void sequencesThatAllGrowTakeTurns(KvCacheSpec spec) {
        List<int[]> expected = alone(spec, MANY, GrowthLaws::growing);
        try (SchedulerBench bench =
                new SchedulerBench(checkpoint(RandomCheckpoint.SMALL), backend(), tight(spec))) {
            List<Sequence> sequences = new ArrayList<>();
            for (int i = 0; i < MANY; i++) {
                sequences.add(bench.grow("sequence " + i, growing(i)));
            }
            for (int i = 0; i < MANY; i++) {
                assertSameAnswer(bench.finish(sequences.get(i)), expected.get(i), "sequence " + i);
            }
            Preemptions preemptions = bench.scheduler().preemptions();
            if (backend().isHostDevice()) {
                assertThat(preemptions.replayed()).as("times read again").isPositive();
                assertThat(preemptions.parked()).isZero();
            } else {
                assertThat(preemptions.parked()).as("times parked").isPositive();
            }
            // Each token was reported once.
            for (int i = 0; i < MANY; i++) {
                String token = "sequence " + i + " token";
                assertThat(bench.heard().stream().filter(Predicate.isEqual(token))).hasSize(LONGEST - 50);
            }
        }
    }

    private void assertSameAnswer(int[] found, int[] wanted, String what) {
        assertThat(found).as(what).hasSameSizeAs(wanted).startsWith(wanted[0]);
        if (isBatchInvariant()) {
            assertThat(found).as(what).isEqualTo(wanted);
        }
    }

    /// The host has too little memory to park in: a sequence is read again.
    @ParameterizedTest
    @MethodSource("strategies")
    void withoutHostMemorySequencesAreReadAgain(KvCacheSpec spec) {
        List<int[]> expected = alone(spec, MANY, GrowthLaws::growing);
        EngineOptions options = tight(spec);
        if (!backend().isHostDevice()) {
            MemoryPlan plan;
            try (Engine engine = open(options)) {
                plan = engine.plan(LONGEST, 1);
            }
            options = options.withMemoryLimits(
                    options.deviceBytes(), Math.max(1, plan.perSequence().offloaded() * 2));
        }
        try (Engine engine = open(options)) {
            List<Generation> running = new ArrayList<>();
            for (int i = 0; i < MANY; i++) {
                running.add(engine.submit(growing(i)));
            }
            for (int i = 0; i < MANY; i++) {
                assertSameAnswer(running.get(i).join().ids(), expected.get(i), "request " + i);
            }
            assertThat(engine.preemptions().replayed()).isPositive();
        }
    }

    /// Younger sequences are preempted, are cancelled while they wait, and leave nothing.
    @ParameterizedTest
    @MethodSource("strategies")
    void preemptedSequencesCanBeCancelled(KvCacheSpec spec) {
        List<int[]> expected = alone(spec, MANY, GrowthLaws::growing);
        try (SchedulerBench bench =
                new SchedulerBench(checkpoint(RandomCheckpoint.SMALL), backend(), tight(spec))) {
            Cancellation cancellation = new Cancellation();
            Sequence older = bench.grow("older", growing(0));
            List<Sequence> younger = new ArrayList<>();
            for (int i = 1; i < MANY; i++) {
                younger.add(bench.grow("younger " + i, growing(i).withCancellation(cancellation)));
            }
            long before = 0;
            while (before == 0) {
                bench.roundAndCheck();
                Preemptions preemptions = bench.scheduler().preemptions();
                before = preemptions.parked() + preemptions.replayed();
                assertThat(older.isFinished()).as("nothing was preempted").isFalse();
            }
            cancellation.cancel();
            bench.roundAndCheck();
            for (Sequence sequence : younger) {
                assertThat(sequence.completion().finish()).isEqualTo(FinishReason.CANCELLED);
            }
            assertThat(bench.scheduler().ledger().entries()).isEqualTo(1);
            assertSameAnswer(bench.finish(older), expected.get(0), "the older sequence");
            assertThat(bench.scheduler().ledger().entries()).isZero();
        }
    }

    /// A more important sequence takes the memory of one that came before it.
    @Test
    void priorityDecidesWhoWaits() {
        EngineOptions options = tight(NARROW);
        try (SchedulerBench bench = new SchedulerBench(checkpoint(RandomCheckpoint.SMALL), backend(), options)) {
            Sequence early = bench.grow("early", request(2));
            Sequence important = bench.grow("important", request(2).withPriority(1));
            bench.finish(important);
            assertThat(early.isFinished()).isFalse();
            assertThat(bench.finish(early)).isEqualTo(important.completion().ids());
        }
    }

    /// Requests at random with too little memory: all that are not cancelled get the answers that they
    /// get alone, and nothing is left.
    @ParameterizedTest
    @MethodSource("strategies")
    void arrivalsAtRandomLeaveNothingBehind(KvCacheSpec spec) {
        List<int[]> expected = alone(spec, MANY, GrowthLaws::growing);
        try (Engine engine = open(tight(spec).withKeptPrompts(2));
                ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Integer>> answered = new ArrayList<>();
            for (int caller = 0; caller < 6; caller++) {
                Random random = new Random(caller);
                answered.add(callers.submit(() -> callAtRandom(engine, expected, random)));
            }
            int all = answered.stream().mapToInt(GrowthLaws::resultOf).sum();
            assertThat(all).as("requests that were answered").isGreaterThan(25);
            Preemptions preemptions = engine.preemptions();
            assertThat(preemptions.parked() + preemptions.replayed()).isPositive();
            assertThat(engine.runningRequests() + engine.waitingRequests()).isZero();
        }
        assertThat(backend().purposes()).noneMatch(purpose -> purpose.contains("sequence of"));
    }

    private static int resultOf(Future<Integer> future) {
        try {
            return future.get();
        } catch (InterruptedException | java.util.concurrent.ExecutionException e) {
            throw new AssertionError(e);
        }
    }

    /// @return number of requests that were answered to their end
    private int callAtRandom(Engine engine, List<int[]> expected, Random random) {
        int answered = 0;
        for (int i = 0; i < 10; i++) {
            int which = random.nextInt(expected.size());
            int tokens = 1 + random.nextInt(LONGEST - 50);
            Generation generation = engine.submit(Request.of(
                            growing(which).promptIds(), ANSWER.withMaxNewTokens(tokens))
                    .withPriority(random.nextInt(3)));
            if (random.nextInt(4) == 0) {
                generation.events().next();
                generation.cancel();
            }
            Completion completion = generation.join();
            int[] wanted = java.util.Arrays.copyOf(expected.get(which), completion.ids().length);
            if (isBatchInvariant()) {
                assertThat(completion.ids()).isEqualTo(wanted);
            }
            answered += completion.finish() == FinishReason.MAX_NEW_TOKENS ? 1 : 0;
        }
        return answered;
    }
}
