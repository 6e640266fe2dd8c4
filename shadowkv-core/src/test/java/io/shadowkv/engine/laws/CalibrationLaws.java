package io.shadowkv.engine.laws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.shadowkv.RandomCheckpoint;
import io.shadowkv.cache.IndexSpec;
import io.shadowkv.cache.KeyValueSource;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.KvCacheSpec.Shadow;
import io.shadowkv.cache.SelectionRanking;
import io.shadowkv.cache.ValueFormat;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.MemoryPlanException;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.engine.study.Calibration;
import io.shadowkv.engine.study.Calibration.Goal;
import io.shadowkv.op.ForwardingBackend;
import io.shadowkv.op.Operations;
import io.shadowkv.op.ShadowOperations;
import io.shadowkv.tensor.Tensor;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalDouble;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Laws of calibration: a budget of everything holds all attention, a larger budget never holds less, what is
/// measured is what a step selects, and the proposed budgets meet the goal.
public abstract class CalibrationLaws extends BackendLaws {
    private static final Goal MEDIAN = new Goal.Mass(OptionalDouble.empty());

    private static final int[] TEXT = Logits.ids(140, 64, 1);

    private static final int POSITIONS = 6;

    protected CalibrationLaws(BackendUnderTest tested) {
        super(tested);
    }

    /// Indexes with a budget of 16 tokens; the shape has 64 columns of keys.
    public static List<Shadow> specs() {
        Shadow codes = new Shadow(
                new IndexSpec.TokenCodes(),
                64,
                new Shadow.Budget(16),
                new Shadow.Residency(8, 8, 16),
                ValueFormat.AS_KEYS);
        return List.of(NARROW.withRank(64), codes);
    }

    private Engine open(KvCacheSpec spec) {
        return Engine.open(checkpoint(RandomCheckpoint.SMALL), backend(), EngineOptions.DEFAULT.withCache(spec));
    }

    @ParameterizedTest
    @MethodSource("specs")
    void everythingHoldsAllAndMoreNeverHoldsLess(Shadow spec) {
        try (Engine engine = open(spec)) {
            List<Double> progress = new ArrayList<>();
            Calibration found = engine.calibrate(TEXT, POSITIONS, MEDIAN, progress::add);
            assertThat(found.tokens()).isEqualTo(TEXT.length - POSITIONS);
            assertThat(found.layers()).hasSize(RandomCheckpoint.SMALL.layers());
            for (Calibration.Layer layer : found.layers()) {
                assertThat(layer.held()).isSorted().hasSizeGreaterThan(2);
                assertThat(layer.held().getLast()).isEqualTo(1);
                assertThat(layer.held().getFirst()).isBetween(0.1, 0.99);
                assertThat(layer.heldAt(1 << 20)).isEqualTo(1);
            }
            assertThat(progress).isSorted().endsWith(1.0);
        }
    }

    /// A budget of everything with all columns of the keys is full attention: it holds all, and its distributions are
    /// full attention's up to rounding.
    @ParameterizedTest
    @MethodSource("specs")
    void aBudgetOfEverythingIsFullAttention(Shadow spec) {
        int everything = 96;
        try (Engine engine = open(spec.withSparseBudget(everything))) {
            Calibration found = engine.calibrate(TEXT, POSITIONS, MEDIAN, done -> {});
            assertThat(found.current().positions()).isEqualTo(POSITIONS);
            for (Calibration.Layer layer : found.layers()) {
                assertThat(layer.heldAt(2)).isEqualTo(1);
            }
            Calibration all = engine.calibrate(TEXT, POSITIONS, new Goal.Mass(OptionalDouble.of(1)), done -> {});
            assertThat(all.times()).containsOnly(2);
            assertThat(all.proposed().meanKl()).isLessThan(atLeastRounding(1e-4));
        }
    }

    /// Each layer gets the least doubling of the budget that holds what is asked for.
    @ParameterizedTest
    @MethodSource("specs")
    void theProposalHoldsWhatIsAskedFor(Shadow spec) {
        try (Engine engine = open(spec)) {
            Calibration found = engine.calibrate(TEXT, POSITIONS, new Goal.Mass(OptionalDouble.of(0.8)), done -> {});
            for (Calibration.Layer layer : found.layers()) {
                assertThat(layer.heldAt(layer.times())).isGreaterThanOrEqualTo(0.8);
                if (layer.times() > 1) {
                    assertThat(layer.heldAt(layer.times() / 2)).isLessThan(0.8);
                }
            }
        }
    }

    /// What calibration measures with the proposed budgets is the divergence of the strategy with these budgets.
    @ParameterizedTest
    @MethodSource("specs")
    void aGoalOfDivergenceIsMet(Shadow spec) {
        try (Engine engine = open(spec)) {
            double before = engine.calibrate(TEXT, POSITIONS, MEDIAN, done -> {})
                    .current()
                    .meanKl();
            assertThat(before).isPositive();
            Calibration found = engine.calibrate(TEXT, POSITIONS, new Goal.Kl(before / 2), done -> {});
            assertThat(found.current().meanKl()).isEqualTo(before);
            assertThat(found.proposed().meanKl()).isLessThanOrEqualTo(before / 2);
            assertThat(found.times()).isNotEmpty();
            assertThat(engine.calibrate(TEXT, POSITIONS, new Goal.Kl(2 * before), done -> {})
                            .times())
                    .as("a goal that the budget meets already")
                    .isEmpty();
        }
    }

    /// The units with the largest scores of a ranking are those that a step selects.
    @ParameterizedTest
    @MethodSource("specs")
    void aRankingIsWhatAStepSelects(Shadow spec) {
        int[] prompt = Logits.ids(120, 64, 1);
        var folder = checkpoint(RandomCheckpoint.SMALL);
        ScoredQueries scored = new ScoredQueries(backend());
        try (StepBench full = bench(folder, new KvCacheSpec.Full());
                StepBench ranked = bench(folder, spec);
                StepBench stepped = bench(folder, spec, scored)) {
            full.read(0, prompt, 200);
            stepped.read(0, prompt, 200);
            List<float[][]> scores = new ArrayList<>();
            List<int[][]> chosen = new ArrayList<>();
            try (SelectionRanking ranking = ranked.strategy().openRanking((KeyValueSource) full.cache(0), 120)) {
                scored.listener = queries -> scores.add(ranking.scores(scores.size(), queries.slice(0, 1)));
                stepped.decodeCache().trace((layer, slot, position, missed, all) -> chosen.add(all));
                stepped.feed(0, 7);
                assertThat(scores).hasSameSizeAs(chosen).hasSize(RandomCheckpoint.SMALL.layers());
                // The queries of later layers are the step's own, those of the first one are full attention's.
                for (int layer = 0; layer < scores.size(); layer++) {
                    for (int head = 0; head < chosen.get(layer).length; head++) {
                        float[] own = scores.get(layer)[head];
                        int[] numbers = ranking.unitNumbers(layer, head);
                        assertThat(own).hasSize(ranking.units());
                        List<Integer> best = IntStream.range(0, own.length)
                                .boxed()
                                .sorted(Comparator.comparing((Integer unit) -> -own[unit]))
                                .limit(spec.selectedUnits())
                                .map(unit -> numbers[unit])
                                .toList();
                        assertThat(chosen.get(layer)[head])
                                .as("layer " + layer + ", head " + head)
                                .containsExactlyInAnyOrder(best.stream()
                                        .mapToInt(Integer::intValue)
                                        .toArray());
                    }
                }
            }
        }
    }

    /// A backend that shows the queries that units are scored for.
    private static final class ScoredQueries extends ForwardingBackend {
        private @Nullable Consumer<Tensor> listener;

        ScoredQueries(CheckedBackend backend) {
            super(backend);
        }

        @Override
        public Operations operations() {
            Operations operations = super.operations();
            ShadowOperations shadow = proxy(ShadowOperations.class, (self, method, arguments) -> {
                Consumer<Tensor> hears = listener;
                if (hears != null && method.getName().equals("scoreUnits")) {
                    hears.accept((Tensor) arguments[0]);
                }
                return method.invoke(operations.shadow(), arguments);
            });
            return proxy(
                    Operations.class,
                    (self, method, arguments) ->
                            method.getName().equals("shadow") ? shadow : method.invoke(operations, arguments));
        }

        private static <T> T proxy(Class<T> type, InvocationHandler handler) {
            return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
        }
    }

    @Test
    void whatCannotBeMeasuredIsRefused() {
        try (Engine engine = open(new KvCacheSpec.Full())) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> engine.calibrate(TEXT, POSITIONS, MEDIAN, done -> {}))
                    .withMessage("the strategy is full, which selects nothing; calibration measures shadowkv");
        }
        try (Engine engine = open(NARROW.withFirstLayers(40))) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> engine.calibrate(TEXT, POSITIONS, MEDIAN, done -> {}))
                    .withMessageContaining("[40], but calibration proposes them");
        }
        try (Engine engine = open(NARROW)) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> engine.calibrate(Logits.ids(44, 64, 1), 4, MEDIAN, done -> {}))
                    .withMessageContaining("a text of 40 tokens is kept whole")
                    .withMessageContaining("more than 44 tokens");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> engine.calibrate(TEXT, TEXT.length, MEDIAN, done -> {}))
                    .withMessageContaining("140 tokens with 140 positions");
        }
        EngineOptions small = EngineOptions.DEFAULT.withCache(NARROW).withMemoryLimits(100_000, 100_000);
        try (Engine engine = Engine.open(checkpoint(RandomCheckpoint.SMALL), backend(), small)) {
            assertThatExceptionOfType(MemoryPlanException.class)
                    .isThrownBy(() -> engine.calibrate(TEXT, POSITIONS, MEDIAN, done -> {}))
                    .withMessageContaining("calibration with 140 tokens needs")
                    .withMessageContaining("available are 100,000 bytes. Use a shorter text");
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Goal.Mass(OptionalDouble.of(1.5)))
                .withMessage("attention mass is 1.5; expected above 0, up to 1");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Goal.Kl(Double.NaN))
                .withMessage("KL divergence is NaN nats; expected above 0");
    }

    /// It can be interrupted at any time, and the engine goes on as before.
    @Test
    void anInterruptedCalibrationLeavesNothing() {
        try (Engine engine = open(NARROW)) {
            Request request = Request.of(
                    TEXT, GenerationOptions.DEFAULT.withMaxNewTokens(4).withIgnoreEos(true));
            int[] expected = engine.complete(request).ids();
            long held = backend().heldBytes();
            for (double at : new double[] {0.1, 0.45, 0.6, 0.85}) {
                assertThatExceptionOfType(CancellationException.class)
                        .isThrownBy(() -> engine.calibrate(TEXT, POSITIONS, MEDIAN, done -> {
                            if (done >= at) {
                                throw new CancellationException("at " + at);
                            }
                        }));
                assertThat(backend().heldBytes()).isEqualTo(held);
            }
            engine.calibrate(TEXT, POSITIONS, MEDIAN, done -> {});
            assertThat(backend().heldBytes()).isEqualTo(held);
            assertThat(engine.complete(request).ids()).isEqualTo(expected);
        }
    }
}
