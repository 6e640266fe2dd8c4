package io.shadowkv.engine.laws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import io.shadowkv.TinyShape;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.KvCacheSpec.Shadow;
import io.shadowkv.cache.SequenceCache.Selections;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.MemoryPlan;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.engine.study.BatchRun;
import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.model.spec.KnownShapes;
import io.shadowkv.op.Backend;
import io.shadowkv.op.Backend.Place;
import io.shadowkv.op.reference.ReferenceBackend;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.WeightPrecision;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Random weights, and batches whose steps are made by hand.
class BatchRunTest {
    private static final DecoderSpec SHAPE = TinyShape.llama(2);
    private static final Shadow SPEC = new Shadow(8, 4, 64, 2, 8, 8);

    private static Engine open(Backend backend, long seed, KvCacheSpec cache) {
        return Engine.openRandom(SHAPE, DType.BF16, seed, backend, EngineOptions.DEFAULT.withCache(cache));
    }

    private static float[] logits(Engine engine, int[] ids) {
        List<float[]> rows = new ArrayList<>();
        engine.logits(ids, ids.length, false, 0, rows::add);
        return rows.getFirst();
    }

    @Test
    void theSameSeedGivesTheSameWeights() {
        int[] ids = Logits.ids(20, 64, 1);
        try (CheckedBackend backend = new CheckedBackend(new ReferenceBackend());
                Engine one = open(backend, 7, new KvCacheSpec.Full());
                Engine same = open(backend, 7, new KvCacheSpec.Full());
                Engine other = open(backend, 8, new KvCacheSpec.Full())) {
            float[] expected = logits(one, ids);
            Logits.assertSame("the same seed", logits(same, ids), expected, 0);
            assertThat(logits(other, ids)).isNotEqualTo(expected);
            assertThat(one.kvType()).isEqualTo(DType.BF16);
            assertThat(one.hasTokenizer()).isFalse();
            assertThat(one.hasChatTemplate()).isFalse();
            assertThatIllegalStateException().isThrownBy(one::checkpoint).withMessageContaining("no checkpoint");
            assertThat(one.plan(100, 1).heldWeightBytes())
                    .isEqualTo(one.plan(100, 1).weightBytes());
        }
    }

    /// Quantised random weights take the bytes of their format, and their logits spread as those of plain ones do.
    @Test
    void randomWeightsCanBeQuantised() {
        int[] ids = Logits.ids(20, 64, 1);
        EngineOptions options = EngineOptions.DEFAULT.withKvType(DType.F32);
        try (CheckedBackend backend = new CheckedBackend(new ReferenceBackend());
                Engine plain = Engine.openRandom(SHAPE, DType.BF16, 7, backend, options)) {
            double spread = spread(logits(plain, ids));
            for (WeightPrecision precision : List.of(WeightPrecision.INT8, WeightPrecision.FP8, WeightPrecision.INT4)) {
                EngineOptions own = options.withWeights(precision);
                try (Engine engine = Engine.openRandom(SHAPE, DType.BF16, 7, backend, own);
                        Engine same = Engine.openRandom(SHAPE, DType.BF16, 7, backend, own)) {
                    float[] found = logits(engine, ids);
                    assertThat(spread(found)).as(precision + "").isBetween(spread / 2, spread * 2);
                    Logits.assertSame(precision + "", logits(same, ids), found, 0);
                    assertThat(engine.plan(100, 1).heldWeightBytes())
                            .isLessThan(plain.plan(100, 1).heldWeightBytes());
                }
            }
        }
    }

    private static double spread(float[] logits) {
        double squares = 0;
        for (float logit : logits) {
            squares += (double) logit * logit;
        }
        return Math.sqrt(squares / logits.length);
    }

    /// Steps by hand are the steps that answer requests; a copy goes its own way from the token it is given.
    @Test
    void stepsByHandAreThoseOfRequests() {
        int[] prompt = Logits.ids(150, 64, 2);
        var generation = GenerationOptions.DEFAULT.withMaxNewTokens(12).withIgnoreEos(true);
        for (KvCacheSpec cache : List.of(new KvCacheSpec.Full(), SPEC)) {
            try (CheckedBackend backend = new CheckedBackend(new DeviceLikeBackend(new ReferenceBackend()));
                    Engine engine = open(backend, 3, cache)) {
                int[] expected = engine.complete(Request.of(prompt, generation)).ids();
                try (BatchRun run = engine.openBatch(3, 200)) {
                    BatchRun.ReadTimes reading = run.read(0, prompt);
                    assertThat(reading.nanos()).isGreaterThan(reading.indexingWaitNanos());
                    run.copy(0, 1, (run.nextId(0) + 1) % 64);
                    run.copy(0, 2, run.nextId(0));
                    for (int id : expected) {
                        assertThat(run.nextId(0)).as(cache.name()).isEqualTo(id);
                        assertThat(run.nextId(2)).as("the copy").isEqualTo(id);
                        assertThat(run.step()).isPositive();
                    }
                    MemoryPlan plan = engine.plan(200, 3);
                    assertThat(run.plannedBytes()).isEqualTo(plan.perSequence());
                    assertThat(run.held().stream()
                                    .filter(part -> part.name().equals("sequences"))
                                    .mapToLong(MemoryPlan.Item::bytes)
                                    .sum())
                            .isEqualTo(plan.residentBytes());
                    assertHeldIsPlanned(run, plan);
                }
            }
        }
    }

    /// Everything but what a prompt needs while it is read.
    private static void assertHeldIsPlanned(BatchRun run, MemoryPlan plan) {
        long held = run.held().stream()
                .filter(part -> !part.isOffloaded())
                .mapToLong(MemoryPlan.Item::bytes)
                .sum();
        long drawn = plan.workspace().stream()
                .filter(part -> part.name().equals("drawn tokens"))
                .mapToLong(MemoryPlan.Item::bytes)
                .sum();
        // The row table and the scores are planned with the step, but held by others than the decoder. Steps by hand
        // draw no tokens.
        double planned = plan.decodingBytes() - drawn;
        assertThat((double) held).isCloseTo(planned, within(0.03 * planned));
    }

    @Test
    void syntheticHitsAreAsManyAsAskedFor() {
        Shadow spec = new Shadow(8, 1, 64, 2, 8, 200);
        try (CheckedBackend backend = new CheckedBackend(new DeviceLikeBackend(new ReferenceBackend()));
                Engine engine = open(backend, 3, spec);
                BatchRun run = engine.openBatch(2, 700)) {
            run.read(0, Logits.ids(500, 64, 2));
            run.copy(0, 1, 5);
            run.synthesizeHits(0.6);
            run.step();
            Selections before = run.selections();
            for (int step = 0; step < 20; step++) {
                run.step();
            }
            Selections after = run.selections();
            double selected = after.selected() - before.selected();
            double hitRate = 1 - (after.missed() - before.missed()) / selected;
            assertThat(selected).isEqualTo(20.0 * 2 * 2 * 2 * 64);
            assertThat(hitRate).isCloseTo(0.6, within(0.03));
            assertThat(backend.heldBytes()).isPositive();
            assertThat(run.held().getLast().bytes())
                    .isEqualTo(engine.plan(700, 2).offloadedBytes());
            assertThat(backend.availableBytes(Place.DEVICE)).isPositive();
        }
    }

    @Test
    void knownShapesAreThePublishedOnes() {
        assertThat(KnownShapes.names())
                .contains(
                        "llama-3.1-8b", "llama-3-8b-1m", "glm-4-9b", "yi-9b", "qwen3-8b", "mistral-7b", "seed-oss-36b");
        DecoderSpec llama = KnownShapes.named("llama-3.1-8b");
        assertThat(llama.kvWidth()).isEqualTo(1024);
        assertThat(llama.withLayers(2).layers()).isEqualTo(2);
        for (String name : KnownShapes.names()) {
            DecoderSpec spec = KnownShapes.named(name);
            assertThat(spec.rope().frequencies(true)).hasSize(spec.rope().rotaryDim() / 2);
        }
    }
}
