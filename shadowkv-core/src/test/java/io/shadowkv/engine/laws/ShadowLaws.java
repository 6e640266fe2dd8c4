package io.shadowkv.engine.laws;

import static io.shadowkv.engine.laws.Logits.assertSame;
import static io.shadowkv.engine.laws.Logits.ids;
import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.RandomCheckpoint;
import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.KvCacheSpec.Shadow;
import io.shadowkv.cache.LayerFetches;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.cache.SequenceSize;
import io.shadowkv.cache.ValueFormat;
import io.shadowkv.cache.shadow.ShadowInside;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.FetchWatch;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.SequenceFetches;
import io.shadowkv.engine.batch.StepBuilder;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.op.Backend.Place;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Laws of ShadowKV's index: where nothing is left out it is full attention, what it holds are the sequence's own
/// tokens, and neither residency nor order shows in the result.
public abstract class ShadowLaws extends BackendLaws {
    private static final int VOCABULARY = 64;

    /// Keys rebuilt from a float factorisation differ from the originals by a few float roundings per layer.
    private static final double REBUILT = 2e-4;

    protected ShadowLaws(BackendUnderTest tested) {
        super(tested);
    }

    /// Head dims, group sizes and selection units that meet in one decoder.
    record Cut(RandomCheckpoint shape, int chunkSize) {}

    static List<Cut> cuts() {
        String yarn =
                ", \"rope_scaling\": {\"type\": \"yarn\", \"factor\": 4.0, \"original_max_position_embeddings\": 32}";
        return List.of(
                new Cut(RandomCheckpoint.SMALL, 4),
                new Cut(new RandomCheckpoint("qwen2", 2, 7, 1, 64, VOCABULARY, 4096, ""), 8),
                new Cut(new RandomCheckpoint("phi3", 2, 2, 2, 96, VOCABULARY, 4096, ""), 8),
                new Cut(new RandomCheckpoint("llama", 1, 4, 2, 128, VOCABULARY, 4096, ""), 1),
                new Cut(new RandomCheckpoint("glm", 2, 4, 2, 32, VOCABULARY, 4096, ""), 2),
                new Cut(new RandomCheckpoint("qwen2", 2, 2, 2, 16, VOCABULARY, 4096, yarn), 1));
    }

    /// With full rank and a budget of everything, an indexed sequence gives full attention's logits. (A
    /// sequence is indexed only when it has outgrown the budget; here it is made to as soon as its units fill
    /// the slots.)
    @ParameterizedTest
    @MethodSource("cuts")
    void anIndexOfEverythingIsFullAttention(Cut cut) {
        Path folder = checkpoint(cut.shape());
        int unit = cut.chunkSize();
        Shadow spec = new Shadow(4096, unit, 72, 2, 8, 40);
        int promptTokens = 2 * unit + 72 + 8 + unit - 1;
        int[] ids = ids(promptTokens + 41, VOCABULARY, 1);
        int[] prompt = Arrays.copyOf(ids, promptTokens);
        try (StepBench full = bench(folder, new KvCacheSpec.Full());
                StepBench shadow = bench(folder, spec)) {
            full.read(0, prompt, 400);
            shadow.read(0, prompt, 400);
            shadow.makeRoomEarly(0);
            SequenceCache cache = shadow.cache(0);
            for (int i = prompt.length; i < ids.length; i++) {
                assertThat(cache.isIndexed()).isTrue();
                assertThat(IndexCheck.units(cache)).isEqualTo(spec.selectedUnits());
                assertSame("token " + i, shadow.feed(0, ids[i]), full.feed(0, ids[i]), atLeastRounding(REBUILT));
            }
            // Everything is selected and stays, so each unit of each head was fetched exactly once.
            long units = cut.shape().layers() * cut.shape().kvHeads() * (long) spec.selectedUnits();
            assertThat(cache.selections().missed()).isEqualTo(units);
            try (StepBench whole = wholeBench(folder, ids)) {
                IndexCheck.assertHolds(backend(), cache, whole.cache(0), atLeastRounding(REBUILT));
            }
        }
    }

    /// Hundreds of tokens through a small index: memory stays what was planned, the index covers every old
    /// token, and what it holds of the first layer (whose keys and values no approximation touches) is what
    /// full attention holds.
    @ParameterizedTest
    @MethodSource("starts")
    void memoryStaysAsPlannedWhileTheIndexGrows(Start start) {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        int capacity = 420;
        int[] ids = ids(400, VOCABULARY, 2);
        try (StepBench bench = bench(folder, start.spec());
                StepBench whole = wholeBench(folder, ids)) {
            List<CacheStrategy.Allocation> planned = bench.strategy().footprint(SequenceSize.of(capacity));
            bench.read(0, Arrays.copyOf(ids, start.promptTokens()), capacity);
            SequenceCache cache = bench.cache(0);
            boolean wasWhole = !cache.isIndexed();
            int resident = start.spec().residentTokens(RandomCheckpoint.SMALL.layers());
            assertThat(wasWhole).isEqualTo(start.promptTokens() <= resident);
            for (int i = start.promptTokens(); i < ids.length; i++) {
                boolean isIndexedAnew = cache.room() == 0;
                float[] logits = bench.feed(0, ids[i]);
                assertThat(logits).doesNotContain(Float.NaN);
                assertThat(cache.length()).isEqualTo(i + 1);
                for (Place place : Place.values()) {
                    assertThat(cache.bytes(place)).as("bytes in " + place).isEqualTo(bytes(planned, place));
                }
                if (isIndexedAnew && i % 5 == 0 || i == ids.length - 1) {
                    IndexCheck.assertHolds(backend(), cache, whole.cache(0), atLeastRounding(REBUILT));
                }
            }
            assertThat(cache.isIndexed()).isTrue();
        }
    }

    record Start(int promptTokens, Shadow spec) {}

    static List<Start> starts() {
        Shadow sixteen = new Shadow(32, 4, 16, 2, 8, 16);
        return List.of(
                new Start(10, NARROW),
                new Start(44, NARROW),
                new Start(45, NARROW),
                new Start(63, NARROW),
                new Start(10, sixteen),
                new Start(90, new Shadow(32, 1, 24, 3, 5, 7)),
                new Start(90, new Shadow(32, 8, 16, 0, 8, 8)));
    }

    private static long bytes(List<CacheStrategy.Allocation> parts, Place place) {
        return parts.stream()
                .filter(part -> part.place() == place)
                .mapToLong(CacheStrategy.Allocation::bytes)
                .sum();
    }

    /// A sequence of ShadowKV that keeps everything: row t of every layer is token t, exactly.
    private StepBench wholeBench(Path folder, int[] ids) {
        StepBench bench = bench(folder, new Shadow(8, 8, 4096, 0, 8, 8));
        bench.read(0, ids, 1000);
        return bench;
    }

    /// The same step with all its units resident, and with none: the same bits.
    @Test
    void aStepOfHitsIsTheSameStepCold() {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        // A rank below the keys' own, so that a rebuilt key is not the original one.
        try (StepBench bench = bench(folder, new Shadow(12, 4, 16, 2, 8, 8))) {
            bench.read(0, ids(80, VOCABULARY, 3), 120);
            bench.feed(0, 1, 2, 3);
            SequenceCache cache = bench.cache(0);
            StepBuilder.Built step = bench.build(Map.of(0, new int[] {4}));

            float[] warm = bench.run(step).get(0);
            ShadowInside.forget(cache, backend());
            float[] cold = bench.run(step).get(0);
            long missesBefore = cache.selections().missed();
            float[] hits = bench.run(step).get(0);
            assertThat(cache.selections().missed())
                    .as("misses of a step repeated")
                    .isEqualTo(missesBefore);
            ShadowInside.forget(cache, backend());
            float[] coldAgain = bench.run(step).get(0);
            assertThat(cache.selections().missed()).as("misses of a cold step").isGreaterThan(missesBefore);

            assertSame("hits", hits, cold, 0);
            assertSame("cold again", coldAgain, cold, 0);
            // The warm step has the same units in other slots, so its sums run in another order.
            assertSame("warm", warm, cold, atLeastRounding(1e-5));
        }
    }

    @Test
    void theOrderOfChunksChangesNothing() {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        try (StepBench bench = bench(folder, NARROW)) {
            bench.read(0, ids(80, VOCABULARY, 4), 120);
            SequenceCache cache = bench.cache(0);
            StepBuilder.Built step = bench.build(Map.of(0, new int[] {4}));
            bench.run(step);
            long misses = cache.selections().missed();
            float[] before = bench.run(step).get(0);
            int[] slots = backend()
                    .downloadInts(ShadowInside.indexed(cache, 0).residency().residentUnits());
            ShadowInside.reverseSlots(cache, backend());
            float[] after = bench.run(step).get(0);

            assertThat(backend()
                            .downloadInts(
                                    ShadowInside.indexed(cache, 0).residency().residentUnits()))
                    .isNotEqualTo(slots);
            assertThat(cache.selections().missed())
                    .as("reversed units are hits")
                    .isEqualTo(misses);
            assertSame("reversed", after, before, atLeastRounding(1e-5));
        }
    }

    /// What a listener hears is what the index says: as many chunks as slots, the missed among them, none twice.
    @Test
    void aTraceTellsWhatIsResident() {
        Path folder = RandomCheckpoint.SMALL.write(temporary.resolve("traced"));
        EngineOptions options = EngineOptions.DEFAULT.withCache(NARROW);
        int[] steps = new int[1];
        try (Engine engine = Engine.open(folder, backend(), options)) {
            engine.traceSelections((layer, slot, position, missed, resident) -> {
                steps[0]++;
                assertThat(position).isBetween(80, 99);
                for (int head = 0; head < resident.length; head++) {
                    assertThat(resident[head]).hasSize(NARROW.selectedUnits()).doesNotHaveDuplicates();
                    assertThat(resident[head]).contains(missed[head]);
                    assertThat(Arrays.stream(resident[head])).allMatch(chunk -> chunk >= 0 && chunk * 4 < position);
                }
            });
            GenerationOptions generation =
                    GenerationOptions.DEFAULT.withMaxNewTokens(20).withIgnoreEos(true);
            Completion completion = engine.complete(Request.of(ids(80, VOCABULARY, 5), generation));
            assertThat(completion.cache().selectedUnits()).isEqualTo(2L * 2 * 4 * 19);
            assertThat(completion.cache().hitRate()).isBetween(0.0, 1.0);
        }
        assertThat(steps[0]).as("one call a layer and step").isEqualTo(2 * 19);
    }

    /// What a watch keeps of a step is what a listener hears of it, and its totals are those of the answer.
    @Test
    void aWatchKeepsWhatStepsFetch() {
        Path folder = RandomCheckpoint.SMALL.write(temporary.resolve("watched"));
        Map<Integer, int[][][]> heard = new TreeMap<>();
        try (Engine engine = Engine.open(folder, backend(), EngineOptions.DEFAULT.withCache(NARROW))) {
            engine.traceSelections((layer, slot, position, missed, resident) ->
                    heard.computeIfAbsent(position + 1, key -> new int[2][][])[layer] = missed);
            GenerationOptions generation =
                    GenerationOptions.DEFAULT.withMaxNewTokens(20).withIgnoreEos(true);
            List<SequenceFetches> kept;
            Completion completion;
            try (FetchWatch watch = engine.watchFetches()) {
                completion = engine.complete(Request.of(ids(80, VOCABULARY, 5), generation));
                kept = watch.take();
                assertThat(watch.take()).isEmpty();
            }
            assertThat(kept.getFirst().tokens()).isEqualTo(81);
            for (SequenceFetches step : kept) {
                assertThat(step.sequence()).isZero();
                for (int layer = 0; layer < 2; layer++) {
                    LayerFetches fetches = step.layers().get(layer);
                    assertThat(fetches.latest()).isDeepEqualTo(heard.get(step.tokens())[layer]);
                    assertThat(fetches.selected()).isEqualTo((step.tokens() - 80) * 8L);
                    assertThat(fetches.missed())
                            .isBetween(1L, completion.cache().missedUnits());
                    assertThat(fetches.bytes()).isEqualTo(fetches.missed() * fetches.unitBytes());
                }
            }
            FetchWatch closed = engine.watchFetches();
            closed.close();
            engine.complete(Request.of(ids(80, VOCABULARY, 5), generation));
            assertThat(closed.take()).as("nobody watches").isEmpty();
        }
    }

    /// Attention that reads every token fetches nothing.
    @Test
    void aWatchOfFullAttentionHasNoLayers() {
        Path folder = RandomCheckpoint.SMALL.write(temporary.resolve("whole"));
        try (Engine engine = Engine.open(folder, backend(), EngineOptions.DEFAULT.withCache(new KvCacheSpec.Full()));
                FetchWatch watch = engine.watchFetches()) {
            engine.complete(Request.of(
                    ids(80, VOCABULARY, 5),
                    GenerationOptions.DEFAULT.withMaxNewTokens(3).withIgnoreEos(true)));
            assertThat(watch.take()).isNotEmpty().allMatch(step -> step.layers().isEmpty());
        }
    }

    /// More resident units than a step selects: the same answers, fewer fetches.
    @ParameterizedTest
    @ValueSource(ints = {20, 32, 60})
    void unitsThatStayChangeNoAnswer(int cachedTokens) {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        int[] ids = ids(220, VOCABULARY, 6);
        int[] prompt = Arrays.copyOf(ids, 160);
        try (StepBench plain = bench(folder, NARROW);
                StepBench caching = bench(folder, NARROW.withCachedTokens(cachedTokens))) {
            plain.read(0, prompt, 300);
            caching.read(0, prompt, 300);
            for (int i = prompt.length; i < ids.length; i++) {
                float[] found = caching.feed(0, ids[i]);
                float[] expected = plain.feed(0, ids[i]);
                if (choosesAlike(i - prompt.length)) {
                    assertSame("token " + i, found, expected, atLeastRounding(1e-5));
                }
            }
            SequenceCache.Selections without = plain.cache(0).selections();
            SequenceCache.Selections with = caching.cache(0).selections();
            assertThat(with.selected()).isEqualTo(without.selected());
            assertThat(with.missed()).isLessThanOrEqualTo(without.missed());
            if (cachedTokens >= 32) {
                assertThat(with.missed()).isLessThan(without.missed());
            }
        }
    }

    /// Quantised values are off by half a step: at most 1/254 of a row's largest value for I8, 1/16 of the value for
    /// F8. Everything is selected, so no other selection enlarges that; two layers and the projections may.
    @ParameterizedTest
    @CsvSource({"I8, 0.02", "F8, 0.12"})
    void quantisedValuesStayClose(ValueFormat format, double bound) {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        Shadow exact = new Shadow(4096, 4, 72, 2, 8, 40);
        int[] ids = ids(130, VOCABULARY, 7);
        int[] prompt = Arrays.copyOf(ids, 95);
        try (StepBench plain = bench(folder, exact);
                StepBench quantised = bench(folder, exact.withValues(format))) {
            plain.read(0, prompt, 400);
            quantised.read(0, prompt, 400);
            plain.makeRoomEarly(0);
            quantised.makeRoomEarly(0);
            for (int i = prompt.length; i < ids.length; i++) {
                float[] expected = plain.feed(0, ids[i]);
                float[] found = quantised.feed(0, ids[i]);
                assertSame("token " + i, found, expected, bound);
                assertThat(found).as("quantised values show").isNotEqualTo(expected);
            }
        }
    }

    /// Where values lie shows in nothing but the bytes.
    @ParameterizedTest
    @EnumSource(ValueFormat.class)
    void thePlaceOfValuesChangesNothing(ValueFormat format) {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        int[] ids = ids(120, VOCABULARY, 8);
        int[] prompt = Arrays.copyOf(ids, 90);
        try (StepBench bench = bench(folder, NARROW.withValues(format))) {
            for (int layers = 0; layers <= 2; layers++) {
                bench.placeValues(layers);
                bench.read(layers, prompt, 200);
                List<CacheStrategy.Allocation> planned = bench.strategy().footprint(new SequenceSize(200, layers));
                for (Place place : Place.values()) {
                    assertThat(bench.cache(layers).bytes(place)).isEqualTo(bytes(planned, place));
                }
            }
            assertThat(bench.cache(2).bytes(Place.HOST)).isZero();
            for (int i = prompt.length; i < ids.length; i++) {
                Map<Integer, float[]> logits = bench.feed(Map.of(0, ids[i], 1, ids[i], 2, ids[i]));
                assertSame("one layer", logits.get(1), logits.get(0), rounding());
                assertSame("both layers", logits.get(2), logits.get(0), rounding());
            }
        }
    }

    /// Rows of a batch go apart, or take turns, where that hides fetching; none of them notices. Enough rows that a
    /// backend with a side queue lets them.
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void aLargeBatchIsItsSequencesAlone(int deviceValueLayers) {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        int rows = 11;
        try (StepBench bench = bench(folder, NARROW)) {
            bench.placeValues(deviceValueLayers);
            for (int row = 0; row < rows; row++) {
                bench.read(row, ids(60 + 3 * row, VOCABULARY, row), 160);
                bench.copy(row, rows + row);
            }
            for (int step = 0; step < 20; step++) {
                Map<Integer, Integer> news = new TreeMap<>();
                for (int row = 0; row < rows; row++) {
                    news.put(row, (row * 31 + step * 7) % VOCABULARY);
                }
                Map<Integer, float[]> logits = bench.feed(news);
                for (int row = 0; row < rows; row++) {
                    float[] alone = bench.feed(rows + row, news.get(row));
                    if (choosesAlike(step)) {
                        assertSame("row " + row + ", step " + step, logits.get(row), alone, rounding());
                    }
                }
            }
        }
    }
}
