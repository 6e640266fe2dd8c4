package io.shadowkv.engine.laws;

import static io.shadowkv.engine.laws.Logits.assertSame;
import static io.shadowkv.engine.laws.Logits.ids;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shadowkv.RandomCheckpoint;
import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.PromptCache;
import io.shadowkv.cache.SequenceSize;
import io.shadowkv.cache.prefill.HeadPatterns;
import io.shadowkv.cache.prefill.HeadPatterns.Kind;
import io.shadowkv.cache.prefill.HeadPatterns.Pattern;
import io.shadowkv.cache.prefill.LayerDensity;
import io.shadowkv.cache.prefill.PatternTrials;
import io.shadowkv.cache.prefill.PrefillSpec;
import io.shadowkv.cache.prefill.PrefillSpec.Blocks;
import io.shadowkv.cache.prefill.PrefillSpec.MInference;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.engine.study.ComparedAnswers;
import io.shadowkv.engine.study.ComparedStrategy;
import io.shadowkv.engine.study.Dialogue;
import io.shadowkv.op.Backend;
import io.shadowkv.op.BackendMemoryException;
import io.shadowkv.tensor.DType;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Prompts whose rows attend to some keys only: what is kept, what the slices and neighbours of a prompt change
/// (nothing), and what is left behind (nothing).
public abstract class SparsePrefillLaws extends BackendLaws {
    private static final int VOCABULARY = 64;

    /// Random weights attend evenly, so the threshold that drops blocks is high.
    private static final Blocks SPARSE = new Blocks(0.9, 8, 1, 2, 2, false, 0);

    private static final Blocks WITH_MEANS = SPARSE.withCountsDropped(true);

    /// All three kinds of patterns, and a head without one.
    private static final MInference PATTERNS = new MInference(
            new HeadPatterns(
                    "a test's patterns",
                    List.of(
                            Map.of(
                                    0, new Pattern(Kind.VERTICAL_AND_SLASH, 30, 50),
                                    1, new Pattern(Kind.STREAM_LLM, 10, 40),
                                    2, new Pattern(Kind.BLOCK_SPARSE, 100, 1)),
                            Map.of(
                                    0, new Pattern(Kind.STREAM_LLM, 0, 70),
                                    1, new Pattern(Kind.VERTICAL_AND_SLASH, 40, 110),
                                    3, new Pattern(Kind.VERTICAL_AND_SLASH, 30, 50)))),
            true,
            0);

    private static final List<PrefillSpec> SPARSE_SPECS = List.of(SPARSE, WITH_MEANS, PATTERNS);

    protected SparsePrefillLaws(BackendUnderTest tested) {
        super(tested);
    }

    static List<KvCacheSpec> strategies() {
        return STRATEGIES;
    }

    static List<PrefillSpec> sparse() {
        return SPARSE_SPECS;
    }

    private StepBench bench(Path folder, KvCacheSpec cache, PrefillSpec prefill) {
        return new StepBench(folder, backend(), cache, prefill, DType.F32);
    }

    private static List<Double> shares(StepBench bench) {
        return bench.densities().stream().map(LayerDensity::share).toList();
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void keepingEverythingIsExact(KvCacheSpec cache) {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        int[] ids = ids(257, VOCABULARY, 1);
        var all = new MInference(HeadPatterns.usual(), true, 0);
        try (StepBench exact = bench(folder, cache)) {
            float[] expected = exact.read(0, ids, 300);
            float[] step = exact.feed(0, 5, 6, 7);
            for (PrefillSpec spec : List.of(SPARSE.withThreshold(0), WITH_MEANS.withThreshold(0), all)) {
                try (StepBench bench = bench(folder, cache, spec)) {
                    assertSame(spec.label(), bench.read(0, ids, 300), expected, rounding());
                    assertThat(shares(bench)).containsExactly(1.0, 1.0);
                    assertSame(spec.label() + ", a step", bench.feed(0, 5, 6, 7), step, rounding());
                }
            }
        }
    }

    /// The laws below would hold without any selection.
    @ParameterizedTest
    @MethodSource("sparse")
    void somethingIsDropped(PrefillSpec spec) {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        int[] ids = ids(270, VOCABULARY, 2);
        try (StepBench bench = bench(folder, new KvCacheSpec.Full(), spec);
                StepBench exact = bench(folder, new KvCacheSpec.Full())) {
            assertThat(bench.read(0, ids, 300)).isNotEqualTo(exact.read(0, ids, 300));
            assertThat(shares(bench)).allSatisfy(share -> assertThat(share).isBetween(0.05, 0.9));
            assertThat(exact.densities()).isEmpty();
        }
    }

    /// To the bit: blocks are counted from position 0, wherever a slice ends.
    @ParameterizedTest
    @MethodSource("sparse")
    void numberOfPrefillRowsChangesNothing(PrefillSpec spec) {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        int[] ids = ids(261, VOCABULARY, 3);
        KvCacheSpec cache = spec.equals(SPARSE) ? new KvCacheSpec.Full() : NARROW;
        try (StepBench bench = bench(folder, cache, spec)) {
            float[] whole = bench.read(0, ids, 300);
            List<LayerDensity> densities = bench.densities();
            for (int rows : new int[] {1, 70}) {
                assertSame(rows + " rows", bench.read(rows, ids, 300, rows), whole, rounding());
                assertThat(bench.densities()).isEqualTo(densities);
            }
        }
    }

    /// Prompts of different lengths, one of them too short for sparse attention; rows of a unit may belong to two.
    @ParameterizedTest
    @MethodSource("sparse")
    void promptsReadTogetherAreThosePromptsAlone(PrefillSpec given) {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        PrefillSpec spec = given instanceof Blocks blocks ? blocks.withMinTokens(100) : given;
        List<int[]> prompts = List.of(ids(50, VOCABULARY, 4), ids(260, VOCABULARY, 5), ids(270, VOCABULARY, 6));
        try (StepBench bench = bench(folder, NARROW, spec)) {
            List<float[]> together = bench.readTogether(prompts, 90);
            for (int i = 0; i < prompts.size(); i++) {
                float[] alone = bench.read(i, prompts.get(i), 300);
                assertSame("prompt " + i, together.get(i), alone, rounding());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("sparse")
    void aShortPromptIsReadExactly(PrefillSpec given) {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        PrefillSpec spec = given instanceof Blocks blocks
                ? blocks.withMinTokens(271)
                : new MInference(PATTERNS.patterns(), true, 271);
        int[] ids = ids(270, VOCABULARY, 7);
        try (StepBench bench = bench(folder, new KvCacheSpec.Full(), spec);
                StepBench exact = bench(folder, new KvCacheSpec.Full())) {
            assertSame("270 tokens", bench.read(0, ids, 300), exact.read(0, ids, 300), 0);
            assertThat(bench.densities()).isEmpty();
        }
    }

    /// A turn behind a prefix: its rows select among all keys; the number of rows computed at a time changes
    /// nothing, and keeping everything is exact. The prefix ends inside a block.
    @ParameterizedTest
    @MethodSource("strategies")
    void aTurnSelectsBehindItsPrefix(KvCacheSpec cache) {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        int[] prefix = ids(101, VOCABULARY, 8);
        int[] turn = ids(260, VOCABULARY, 9);
        PrefillSpec spec = cache.equals(NARROW) ? PATTERNS : WITH_MEANS;
        try (StepBench bench = bench(folder, cache, spec)) {
            bench.read(0, prefix, 400);
            bench.read(1, prefix, 400);
            float[] whole = bench.extend(0, turn, 512);
            assertSame(spec.label(), bench.extend(1, turn, 64), whole, rounding());
        }
        try (StepBench exact = bench(folder, cache);
                StepBench all = bench(folder, cache, SPARSE.withThreshold(0))) {
            exact.read(0, prefix, 400);
            all.read(0, prefix, 400);
            assertSame("a turn", all.extend(0, turn, 64), exact.extend(0, turn, 64), rounding());
        }
    }

    /// Turns of forks that are read together are those turns alone.
    @Test
    void turnsOfForksAreThoseTurnsAlone() {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        Map<Integer, int[]> turns = Map.of(1, ids(258, VOCABULARY, 10), 2, ids(261, VOCABULARY, 11));
        for (PrefillSpec spec : List.of(SPARSE, PATTERNS)) {
            try (StepBench bench = bench(folder, NARROW, spec)) {
                bench.read(0, ids(101, VOCABULARY, 8), 110);
                for (int slot : new int[] {1, 2, 3, 4}) {
                    bench.fork(0, slot, 300);
                }
                Map<Integer, float[]> together = bench.extend(turns, 100);
                assertSame(spec.label() + ", 1", together.get(1), bench.extend(3, turns.get(1), 512), rounding());
                assertSame(spec.label() + ", 2", together.get(2), bench.extend(4, turns.get(2), 512), rounding());
            }
        }
    }

    /// Nothing stays allocated, wherever a reading ends; [BackendLaws] checks it.
    @Test
    void anAbandonedReadingLeavesNothing() {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        int[] ids = ids(270, VOCABULARY, 12);
        for (KvCacheSpec cache : STRATEGIES) {
            for (PrefillSpec spec : SPARSE_SPECS) {
                try (StepBench bench = bench(folder, cache, spec)) {
                    bench.rotary(ids.length);
                    long before = backend().heldBytes();
                    for (int units : new int[] {0, 1, 4}) {
                        bench.abandonPrompt(ids, units, 128);
                        assertThat(backend().heldBytes())
                                .as("%s, %s after %d units", cache.name(), spec.label(), units)
                                .isEqualTo(before);
                    }
                }
            }
        }
    }

    /// An engine plans what reading allocates, also if there is no memory for it.
    @ParameterizedTest
    @MethodSource("sparse")
    void whatReadingAllocatesIsPlanned(PrefillSpec spec) {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        int[] ids = ids(290, VOCABULARY, 13);
        try (StepBench exact = bench(folder, new KvCacheSpec.Full());
                StepBench bench = bench(folder, new KvCacheSpec.Full(), spec)) {
            long planned = bench.strategy().promptWorkspaceBytes(ids.length)
                    - exact.strategy().promptWorkspaceBytes(ids.length);
            var table = bench.rotary(ids.length);
            try (var _ = bench.strategy().openPrompt(ids.length, SequenceSize.of(290), table)) {
                assertThat(backend().bytes(Backend.Place.DEVICE, "sparse prefill"))
                        .isEqualTo(planned)
                        .isPositive();
            }
            backend().refuse("sparse prefill.*");
            long before = backend().heldBytes();
            assertThatThrownBy(() -> bench.read(0, ids, 300))
                    .isInstanceOf(BackendMemoryException.class)
                    .hasMessageContaining("sparse prefill");
            assertThat(backend().heldBytes()).isEqualTo(before);
            backend().refuse("nothing");
        }
    }

    /// Each turn of a joint reading has an attention of its own at the same time.
    @Test
    void turnsThatAreReadTogetherAllocateWhatIsPlanned() {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        try (StepBench bench = bench(folder, NARROW, SPARSE)) {
            bench.read(0, ids(270, VOCABULARY, 17), 400);
            bench.fork(0, 1, 60);
            bench.fork(0, 2, 60);
            List<CacheStrategy.Turn> turns =
                    List.of(new CacheStrategy.Turn(bench.cache(1), 40), new CacheStrategy.Turn(bench.cache(2), 50));
            long planned = bench.strategy().turnAttentionBytes(270, 40)
                    + bench.strategy().turnAttentionBytes(270, 50);
            List<PromptCache> opened = bench.strategy().extend(turns);
            assertThat(backend().bytes(Backend.Place.DEVICE, "sparse prefill"))
                    .isEqualTo(planned)
                    .isPositive();
            opened.forEach(PromptCache::close);
        }
    }

    /// Strategies that read differently are compared in one run, each as alone.
    @Test
    void comparisonsReadOnceForThoseThatReadAlike() {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        GenerationOptions five = GenerationOptions.DEFAULT.withMaxNewTokens(5).withIgnoreEos(true);
        Request request = Request.of(ids(258, VOCABULARY, 14), five);
        PrefillSpec exact = new PrefillSpec.Exact();
        List<ComparedStrategy> strategies = List.of(
                new ComparedStrategy(new KvCacheSpec.Full(), exact),
                new ComparedStrategy(NARROW, SPARSE),
                new ComparedStrategy(NARROW, exact),
                new ComparedStrategy(new KvCacheSpec.Full(), SPARSE),
                new ComparedStrategy(new KvCacheSpec.Full(), PATTERNS));
        List<ComparedAnswers> compared;
        try (Engine engine = Engine.open(folder, backend(), EngineOptions.DEFAULT)) {
            compared = engine.compareStrategies(List.of(Dialogue.of(request, 300)), strategies, true)
                    .getFirst();
            assertThat(engine.memoryInUse().deviceBytes()).isZero();
        }
        for (int i = 0; i < strategies.size(); i++) {
            ComparedStrategy strategy = strategies.get(i);
            Completion found = compared.get(i).turns().getFirst();
            EngineOptions alone =
                    EngineOptions.DEFAULT.withCache(strategy.cache()).withPrefill(strategy.prefill());
            try (Engine engine = Engine.open(folder, backend(), alone)) {
                Completion expected = engine.complete(request);
                assertThat(found.ids()).as("strategy %d", i).isEqualTo(expected.ids());
                assertThat(found.densities()).isEqualTo(expected.densities());
                assertThat(found.densities().isEmpty())
                        .isEqualTo(strategy.prefill().equals(exact));
            }
        }
    }

    /// Measuring changes no answer. What keeps everything keeps all of the mass.
    @ParameterizedTest
    @MethodSource("sparse")
    void theKeptMassIsMeasured(PrefillSpec spec) {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        int[] ids = ids(290, VOCABULARY, 15);
        PrefillSpec all =
                spec instanceof Blocks blocks ? blocks.withThreshold(0) : new MInference(HeadPatterns.usual(), true, 0);
        try (StepBench bench = bench(folder, NARROW, spec);
                StepBench measured = bench(folder, NARROW, spec.measuring(7));
                StepBench whole = bench(folder, NARROW, all.measuring(7))) {
            assertThat(measured.read(0, ids, 300)).isEqualTo(bench.read(0, ids, 300));
            whole.read(0, ids, 300);
            for (int layer = 0; layer < 2; layer++) {
                LayerDensity found = measured.densities().get(layer);
                assertThat(found.computed())
                        .isEqualTo(bench.densities().get(layer).computed());
                assertThat(bench.densities().get(layer).keptMass()).isEmpty();
                // Random weights attend evenly, so a part of the keys holds about its share.
                assertThat(found.keptMass().orElseThrow()).isBetween(found.share() - 0.2, 0.99);
                assertThat(whole.densities().get(layer).keptMass().orElseThrow())
                        .isCloseTo(1, within(1e-9));
            }
        }
    }

    /// A search measures what reading with the pattern keeps, mass and keys. The first layer has the same
    /// input in both.
    @Test
    void trialsFindWhatReadingKeeps() {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        Request request = Request.of(
                ids(700, VOCABULARY, 16),
                GenerationOptions.DEFAULT.withMaxNewTokens(1).withIgnoreEos(true));
        PatternTrials trials = PatternTrials.of(2, 4, 700);
        try (Engine engine = Engine.open(folder, backend(), EngineOptions.DEFAULT)) {
            engine.tryPatterns(request.promptIds(), trials, 700, done -> {});
        }
        List<Pattern> candidates = trials.sums().candidates();
        assertThat(trials.sums().rows()).containsExactly(700, 700);
        for (Pattern pattern : List.of(
                new Pattern(Kind.VERTICAL_AND_SLASH, 100, 200),
                new Pattern(Kind.STREAM_LLM, 64, 256),
                new Pattern(Kind.BLOCK_SPARSE, 1000, 6096))) {
            Map<Integer, Pattern> heads = Map.of(0, pattern, 1, pattern, 2, pattern, 3, pattern);
            PrefillSpec spec = new MInference(new HeadPatterns("a test's", List.of(heads, heads)), true, 0);
            LayerDensity read;
            try (Engine engine =
                    Engine.open(folder, backend(), EngineOptions.DEFAULT.withPrefill(spec.measuring(700)))) {
                read = engine.complete(request).densities().getFirst();
            }
            double mass = 0;
            double keys = 0;
            for (int head = 0; head < 4; head++) {
                int at = head * candidates.size() + candidates.indexOf(pattern);
                mass += trials.sums().mass()[at] / 700 / 4;
                keys += trials.sums().keys()[at];
            }
            assertThat(mass).as("%s", pattern).isCloseTo(read.keptMass().orElseThrow(), within(1e-6));
            assertThat((long) keys).as("%s", pattern).isEqualTo(read.computed());
        }
    }

    @Test
    void patternsOfAnotherModelAreRefused() {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        Map<Integer, Pattern> head = Map.of(4, new Pattern(Kind.VERTICAL_AND_SLASH, 30, 50));
        Map<String, HeadPatterns> wrong = Map.of(
                "patterns for 3 layers; the model has 2 layers",
                        new HeadPatterns("file", List.of(Map.of(), Map.of(), Map.of())),
                "pattern for head 4 of layer 1; the model has query heads 0 to 3",
                        new HeadPatterns("file", List.of(Map.of(), head)));
        wrong.forEach((message, patterns) -> assertThatIllegalArgumentException()
                .isThrownBy(() -> Engine.open(
                        folder, backend(), EngineOptions.DEFAULT.withPrefill(new MInference(patterns, true, 0))))
                .withMessageContaining(message)
                .withMessageContaining("Give the pattern file of this model"));
    }
}
