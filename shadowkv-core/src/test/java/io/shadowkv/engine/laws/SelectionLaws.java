package io.shadowkv.engine.laws;

import static io.shadowkv.engine.laws.Logits.assertSame;
import static io.shadowkv.engine.laws.Logits.ids;
import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.RandomCheckpoint;
import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.KvCacheSpec.Shadow;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.cache.SequenceSize;
import io.shadowkv.cache.shadow.ShadowInside;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.batch.StepBuilder;
import io.shadowkv.engine.serve.Document;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.op.Backend.Place;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Laws of every way to select: an index and budgets of layers.
///
/// Each spec selects 16 tokens in most layers, keeps 8 local and up to 8 generated tokens.
abstract class SelectionLaws extends BackendLaws {
    private static final int VOCABULARY = 64;

    /// Keys rebuilt from a float factorisation differ from the originals by a few float roundings per layer.
    private static final double REBUILT = 2e-4;

    SelectionLaws(BackendUnderTest tested) {
        super(tested);
    }

    /// What is under test: of rank 12, below the keys' own, so that a rebuilt key is not the original one.
    abstract List<Shadow> specs();

    /// The same selections, each of at least 72 tokens, with full rank, 8 local and 40 generated tokens.
    abstract List<Shadow> everything();

    @Test
    void anIndexOfEverythingIsFullAttention() {
        int[] ids = ids(140, VOCABULARY, 1);
        for (RandomCheckpoint shape : List.of(
                RandomCheckpoint.SMALL,
                new RandomCheckpoint("phi3", 2, 2, 2, 96, VOCABULARY, 4096, ""),
                new RandomCheckpoint("glm", 2, 4, 2, 32, VOCABULARY, 4096, ""))) {
            Path folder = checkpoint(shape);
            for (Shadow spec : everything()) {
                // As many units as the smallest budget, indexed as soon as they are there.
                int prompt = spec.outlierTokens() + spec.sparseBudget() + 8 + spec.unitTokens() - 1;
                try (StepBench full = bench(folder, new KvCacheSpec.Full());
                        StepBench shadow = bench(folder, spec)) {
                    full.read(0, Arrays.copyOf(ids, prompt), 400);
                    shadow.read(0, Arrays.copyOf(ids, prompt), 400);
                    shadow.makeRoomEarly(0);
                    for (int i = prompt; i < prompt + 20; i++) {
                        assertThat(shadow.cache(0).isIndexed()).isTrue();
                        assertThat(IndexCheck.units(shadow.cache(0))).isEqualTo(spec.selectedUnits());
                        assertSame(
                                spec + ", token " + i,
                                shadow.feed(0, ids[i]),
                                full.feed(0, ids[i]),
                                atLeastRounding(REBUILT));
                    }
                }
            }
        }
    }

    @Test
    void aStepOfHitsIsTheSameStepCold() {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        for (Shadow spec : specs()) {
            try (StepBench bench = bench(folder, spec)) {
                bench.read(0, ids(90, VOCABULARY, 3), 130);
                bench.feed(0, 1, 2, 3);
                StepBuilder.Built step = bench.build(Map.of(0, new int[] {4}));
                bench.run(step);
                ShadowInside.forget(bench.cache(0), backend());
                float[] cold = bench.run(step).get(0);
                long missesBefore = bench.cache(0).selections().missed();
                float[] hits = bench.run(step).get(0);
                assertThat(bench.cache(0).selections().missed())
                        .as("misses of a step repeated")
                        .isEqualTo(missesBefore);
                assertSame(spec + ", hits", hits, cold, 0);
            }
        }
    }

    /// Sequences of different lengths, one of them whole, in one batch and alone.
    @Test
    void aBatchIsItsSequencesAlone() {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        int[] lengths = {3, 60, 97, 130};
        for (Shadow spec : specs()) {
            try (StepBench bench = bench(folder, spec)) {
                for (int i = 0; i < lengths.length; i++) {
                    bench.read(i, ids(lengths[i], VOCABULARY, i), 180);
                    bench.copy(i, lengths.length + i);
                }
                int compared = 0;
                for (int step = 0; step < 20; step++) {
                    Map<Integer, Integer> news = new TreeMap<>();
                    for (int i = 0; i < lengths.length; i++) {
                        news.put(i, (i * 31 + step * 7) % VOCABULARY);
                    }
                    Map<Integer, float[]> logits = bench.feed(news);
                    for (int i = 0; i < lengths.length; i++) {
                        float[] alone = bench.feed(lengths.length + i, news.get(i));
                        if (choosesAlike(step) && choseAlike(bench, i, lengths.length + i)) {
                            assertSame(spec + ", sequence " + i + ", step " + step, logits.get(i), alone, rounding());
                            compared++;
                        }
                    }
                }
                assertThat(compared).as("comparisons of %s", spec).isGreaterThanOrEqualTo(2 * lengths.length);
            }
        }
    }

    @Test
    void howAPromptComesInChangesNothing() {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        // In BF16 some of the turns make another close choice.
        int prompts = choosesAlike(Integer.MAX_VALUE) ? 1 : 6;
        int compared = 0;
        for (Shadow spec : specs()) {
            for (int prompt = 2; prompt < 2 + prompts; prompt++) {
                int[] ids = ids(90, VOCABULARY, prompt);
                int[] turn = ids(prompts == 1 ? 20 : 3, VOCABULARY, prompt + 1);
                try (StepBench bench = bench(folder, spec)) {
                    float[] whole = bench.read(0, ids, 140);
                    assertSame(spec + ", prefill", bench.read(1, ids, 140, 7), whole, rounding());
                    float[] one = new float[0];
                    for (int id : turn) {
                        one = bench.feed(0, id);
                    }
                    float[] together = bench.feed(1, turn);
                    if (choseAlike(bench, 0, 1)) {
                        assertSame(spec + ", a turn in one step", together, one, rounding());
                        compared++;
                    }
                }
            }
        }
        assertThat(compared).as("turns compared").isPositive();
    }

    /// False if a backend that rounds to BF16 made another close choice for two sequences that are fed alike: then
    /// their logits differ by more than rounding.
    private boolean choseAlike(StepBench bench, int slot, int other) {
        SequenceCache first = bench.cache(slot);
        SequenceCache second = bench.cache(other);
        if (choosesAlike(Integer.MAX_VALUE) || !first.isIndexed()) {
            return true;
        }
        return IntStream.range(0, ShadowInside.layers(first))
                .allMatch(layer -> ShadowInside.residents(first, layer, backend())
                        .equals(ShadowInside.residents(second, layer, backend())));
    }

    /// Memory stays what was planned, and the index covers every old token with entries of its own keys: of those
    /// that were read first, of those that joined it, and of those of turns.
    @Test
    void whatJoinsTheIndexIsWhatWouldHaveBeenBuilt() {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        int[] ids = ids(260, VOCABULARY, 2);
        try (StepBench whole = bench(folder, new Shadow(8, 8, 4096, 0, 8, 8))) {
            whole.read(0, ids, 1000);
            for (Shadow spec : specs()) {
                Shadow exact = spec.withRank(4096);
                try (StepBench bench = bench(folder, exact)) {
                    List<CacheStrategy.Allocation> planned = bench.strategy().footprint(SequenceSize.of(300));
                    // Starts whole, outgrows the resident rows token by token, then reads turns.
                    bench.read(0, Arrays.copyOf(ids, 20), 300);
                    SequenceCache cache = bench.cache(0);
                    bench.feed(0, Arrays.copyOfRange(ids, 20, 120));
                    IndexCheck.assertHolds(backend(), cache, whole.cache(0), atLeastRounding(REBUILT));
                    bench.extend(0, Arrays.copyOfRange(ids, 120, 190), 512);
                    bench.feed(0, Arrays.copyOfRange(ids, 190, 230));
                    bench.extend(0, Arrays.copyOfRange(ids, 230, 260), 512);
                    IndexCheck.assertHolds(backend(), cache, whole.cache(0), atLeastRounding(REBUILT));
                    for (Place place : Place.values()) {
                        assertThat(cache.bytes(place)).as("bytes in " + place).isEqualTo(bytes(planned, place));
                    }
                }
            }
        }
    }

    private static long bytes(List<CacheStrategy.Allocation> parts, Place place) {
        return parts.stream()
                .filter(part -> part.place() == place)
                .mapToLong(CacheStrategy.Allocation::bytes)
                .sum();
    }

    /// A turn attends to everything exactly, and a fork goes on as the sequence itself.
    @Test
    void turnsAndForksGoOn() {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        int[] ids = ids(150, VOCABULARY, 5);
        for (Shadow spec : specs()) {
            try (StepBench bench = bench(folder, spec);
                    StepBench full = bench(folder, new KvCacheSpec.Full());
                    StepBench exact = bench(folder, spec.withRank(4096))) {
                full.read(0, Arrays.copyOf(ids, 97), 300);
                exact.read(0, Arrays.copyOf(ids, 97), 300);
                int[] turn = Arrays.copyOfRange(ids, 97, 150);
                float[] expected = full.extend(0, turn, 512);
                assertSame(spec + ", a turn", exact.extend(0, turn, 512), expected, atLeastRounding(REBUILT));
                exact.fork(0, 1, 40);
                int[] next = ids(20, VOCABULARY, 7);
                expected = full.extend(0, next, 512);
                assertSame(spec + ", a turn of a fork", exact.extend(1, next, 512), expected, atLeastRounding(REBUILT));

                bench.read(0, ids, 200);
                List<CacheStrategy.Allocation> planned = bench.cache(0).forkFootprint(30);
                bench.fork(0, 1, 30);
                assertThat(bench.cache(1).bytes(Place.DEVICE)).isEqualTo(bytes(planned, Place.DEVICE));
                for (int i = 0; i < 6; i++) {
                    float[] ofFork = bench.feed(1, i);
                    float[] own = bench.feed(0, i);
                    if (choosesAlike(i)) {
                        assertSame(spec + ", fork, token " + i, ofFork, own, rounding());
                    }
                }
            }
        }
    }

    /// A saved document is opened with the same selection, and refused with another.
    @Test
    void aSavedDocumentKnowsItsSelection() {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        int[] text = ids(150, VOCABULARY, 6);
        int[] prompt = Arrays.copyOf(text, 153);
        Arrays.fill(prompt, 150, 153, 9);
        GenerationOptions six = GenerationOptions.DEFAULT.withMaxNewTokens(6).withIgnoreEos(true);
        List<String> refusals = new ArrayList<>();
        Path other = temporary.resolve("narrow");
        try (Engine engine = Engine.open(folder, backend(), EngineOptions.DEFAULT.withCache(NARROW));
                Document document = engine.read(Request.of(text, six))) {
            document.save(other);
        }
        for (Shadow spec : specs()) {
            Path file = temporary.resolve("document-" + refusals.size());
            int[] expected;
            try (Engine engine = Engine.open(folder, backend(), EngineOptions.DEFAULT.withCache(spec));
                    Document document = engine.read(Request.of(text, six))) {
                expected = engine.complete(Request.of(prompt, six)).ids();
                document.save(file);
            }
            try (Engine engine = Engine.open(folder, backend(), EngineOptions.DEFAULT.withCache(spec));
                    Document opened = engine.openDocument(file)) {
                assertThat(opened.length()).isEqualTo(text.length);
                assertThat(engine.complete(Request.of(prompt, six)).ids()).isEqualTo(expected);
                refusals.add(String.valueOf(
                        org.assertj.core.api.Assertions.catchThrowable(() -> engine.openDocument(other))));
            }
        }
        assertThat(refusals)
                .allSatisfy(refusal -> assertThat(refusal)
                        .contains("was saved with strategy Shadow[rank=32, chunkSize=4, ")
                        .contains("this engine has Shadow["));
    }
}
