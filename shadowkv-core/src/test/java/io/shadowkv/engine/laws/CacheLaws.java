package io.shadowkv.engine.laws;

import static io.shadowkv.engine.laws.Logits.assertSame;
import static io.shadowkv.engine.laws.Logits.ids;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.shadowkv.Fixtures;
import io.shadowkv.RandomCheckpoint;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.KvCacheSpec.Shadow;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.op.Backend;
import io.shadowkv.tensor.DType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Laws of both strategies: however the tokens come in, the same logits come out.
///
/// "The same" is [#rounding()]: a backend whose rows do not depend on each other gives the same bits.
public abstract class CacheLaws extends BackendLaws {
    private static final int VOCABULARY = RandomCheckpoint.SMALL.vocabulary();

    protected CacheLaws(BackendUnderTest tested) {
        super(tested);
    }

    static List<KvCacheSpec> strategies() {
        return STRATEGIES;
    }

    static List<String> models() {
        return List.of("tiny-llama3-f32", "tiny-qwen2-f32", "tiny-phi3-f32", "tiny-glm-f32");
    }

    /// A sequence that fits is kept whole: ShadowKV's logits are full attention's, in prefill and in decode.
    @ParameterizedTest
    @MethodSource("models")
    void keepsWhatFitsAndIsFullAttention(String model) {
        Path folder = Fixtures.golden("models").resolve("models").resolve(model);
        int[] ids = ids(30, 192, 1);
        List<float[]> full = new ArrayList<>();
        List<float[]> shadow = new ArrayList<>();
        EngineOptions options = EngineOptions.DEFAULT.withKvType(DType.F32);
        try (Engine engine = Engine.open(folder, backend(), options)) {
            engine.logits(ids, 20, true, 0, full::add);
        }
        try (Engine engine = Engine.open(folder, backend(), options.withCache(Shadow.DEFAULT))) {
            engine.logits(ids, 20, true, 0, shadow::add);
        }
        assertThat(full).hasSize(ids.length);
        for (int i = 0; i < ids.length; i++) {
            assertSame(model + ", position " + i, shadow.get(i), full.get(i), rounding());
        }
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void readingOneMoreTokenIsDecodingIt(KvCacheSpec spec) {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        // Up to 44 tokens NARROW keeps everything, so that the law holds for it as it does for full attention.
        for (int length : new int[] {1, 2, 7, 43}) {
            int[] ids = ids(length + 1, VOCABULARY, length);
            try (StepBench bench = bench(folder, spec)) {
                float[] read = bench.read(0, ids, 64);
                bench.read(1, Arrays.copyOf(ids, length), 64);
                assertSame(spec.name() + ", " + length, bench.feed(1, ids[length]), read, rounding());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 64})
    void numberOfPrefillRowsChangesNothing(int prefillRows) {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        int[] ids = ids(80, VOCABULARY, 2);
        for (KvCacheSpec spec : STRATEGIES) {
            try (StepBench bench = bench(folder, spec)) {
                float[] whole = bench.read(0, ids, 100);
                float[] split = bench.read(1, ids, 100, prefillRows);
                assertSame(spec.name() + ", prefill", split, whole, rounding());
                assertSame(spec.name() + ", a later step", bench.feed(1, 5, 6, 7), bench.feed(0, 5, 6, 7), rounding());
            }
        }
    }

    /// The rows of a turn go through a layer together, but attend one after the other: also where the index grows
    /// between.
    @ParameterizedTest
    @MethodSource("strategies")
    void aTurnInOneStepIsOneTokenAStep(KvCacheSpec spec) {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        int[] turn = ids(50, VOCABULARY, 3);
        for (int prompt : new int[] {5, 30, 70}) {
            try (StepBench bench = bench(folder, spec)) {
                int[] ids = ids(prompt, VOCABULARY, prompt);
                bench.read(0, ids, 200);
                bench.read(1, ids, 200);
                float[] one = new float[0];
                for (int id : turn) {
                    one = bench.feed(0, id);
                }
                assertSame(spec.name() + " after " + prompt, bench.feed(1, turn), one, rounding());
            }
        }
    }

    /// Sequences of different lengths, one of them indexed under ShadowKV, join and leave at different times;
    /// none of them notices the others.
    @ParameterizedTest
    @MethodSource("strategies")
    void aBatchIsItsSequencesAlone(KvCacheSpec spec) {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        int[] lengths = {3, 60, 41};
        int[] joinAt = {0, 2, 4};
        int[] leaveAfter = {14, 9, 20};
        List<List<float[]>> alone = new ArrayList<>();
        for (int i = 0; i < lengths.length; i++) {
            alone.add(alone(folder, spec, i, lengths[i], leaveAfter[i] - joinAt[i]));
        }
        try (StepBench bench = bench(folder, spec)) {
            for (int step = 0; step < 20; step++) {
                Map<Integer, Integer> news = new TreeMap<>();
                for (int i = 0; i < lengths.length; i++) {
                    if (step == joinAt[i]) {
                        bench.read(i, ids(lengths[i], VOCABULARY, i), 120);
                    }
                    if (step >= joinAt[i] && step < leaveAfter[i]) {
                        news.put(i, newId(i, step - joinAt[i]));
                    }
                }
                Map<Integer, float[]> logits = bench.feed(news);
                for (int i : news.keySet()) {
                    String what = spec.name() + ", sequence " + i + ", step " + step;
                    assertSame(what, logits.get(i), alone.get(i).get(step - joinAt[i]), rounding());
                    if (step == leaveAfter[i] - 1) {
                        bench.leave(i);
                    }
                }
            }
        }
    }

    private List<float[]> alone(Path folder, KvCacheSpec spec, int sequence, int length, int steps) {
        List<float[]> logits = new ArrayList<>();
        try (StepBench bench = bench(folder, spec)) {
            bench.read(0, ids(length, VOCABULARY, sequence), 120);
            for (int i = 0; i < steps; i++) {
                logits.add(bench.feed(0, newId(sequence, i)));
            }
        }
        return logits;
    }

    private static int newId(int sequence, int step) {
        return (sequence * 31 + step * 7) % VOCABULARY;
    }

    /// A slot that was left and taken again remembers nothing.
    @ParameterizedTest
    @MethodSource("strategies")
    void aSlotRemembersNothing(KvCacheSpec spec) {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        int[] ids = ids(60, VOCABULARY, 5);
        try (StepBench bench = bench(folder, spec)) {
            bench.read(0, ids, 120);
            float[] first = bench.feed(0, 1, 2, 3);
            bench.leave(0);
            bench.read(0, ids(90, VOCABULARY, 6), 150);
            bench.feed(0, 9, 8, 7);
            bench.leave(0);
            bench.read(0, ids, 120);
            assertSame(spec.name(), bench.feed(0, 1, 2, 3), first, rounding());
        }
    }

    /// A copy goes on as the sequence itself would, and neither sees the other.
    @ParameterizedTest
    @MethodSource("strategies")
    void aCopyIsASequenceOfItsOwn(KvCacheSpec spec) {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        int[] turn = ids(30, VOCABULARY, 9);
        for (int prompt : new int[] {20, 44, 90}) {
            try (StepBench bench = bench(folder, spec)) {
                int[] ids = ids(prompt, VOCABULARY, prompt);
                for (int slot = 0; slot < 2; slot++) {
                    bench.read(slot, ids, 200);
                    bench.feed(slot, 1, 2, 3);
                }
                bench.copy(1, 2);
                assertThat(bench.cache(2).selections()).isEqualTo(bench.cache(1).selections());
                for (Backend.Place place : Backend.Place.values()) {
                    assertThat(bench.cache(2).bytes(place))
                            .isEqualTo(bench.cache(1).bytes(place));
                }
                bench.feed(1, 7, 7, 7, 7, 7);
                bench.leave(1);
                assertSame(spec.name() + ", " + prompt, bench.feed(2, turn), bench.feed(0, turn), rounding());
            }
        }
    }

    @Test
    void strategiesDoNotMix() {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        try (StepBench full = bench(folder, new KvCacheSpec.Full());
                StepBench shadow = bench(folder, NARROW)) {
            full.read(0, new int[] {1}, 10);
            shadow.read(0, new int[] {1}, 10);
            try (var decode = full.strategy().openDecode()) {
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> decode.join(0, shadow.cache(0)))
                        .withMessageContaining("cannot join a batch with full attention");
            }
            try (var decode = shadow.strategy().openDecode()) {
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> decode.join(0, full.cache(0)))
                        .withMessageContaining("cannot join a batch under ShadowKV");
            }
        }
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void aSequenceEndsAtItsCapacity(KvCacheSpec spec) {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        for (int capacity : new int[] {10, 70}) {
            try (StepBench bench = bench(folder, spec)) {
                bench.read(0, ids(capacity - 2, VOCABULARY, 1), capacity);
                bench.feed(0, 1, 2);
                assertThat(bench.cache(0).length())
                        .isEqualTo(capacity)
                        .isEqualTo(bench.cache(0).capacity());
                assertThat(bench.cache(0).room()).isZero();
                assertThatIllegalStateException()
                        .isThrownBy(() -> bench.feed(0, 3))
                        .withMessageContaining("capacity");
            }
        }
    }

    /// Phi-3's longrope: past the original context a sequence rotates by other frequencies, its first tokens too.
    /// Growing over the border token by token must be reading the longer sequence afresh.
    @Test
    void growingOverLongropesBorderIsReadingAfresh() {
        Path folder = Fixtures.golden("models").resolve("models/tiny-phi3-f32");
        int[] ids = ids(514, 192, 7);
        EngineOptions options = EngineOptions.DEFAULT.withKvType(DType.F32);
        try (Engine full = Engine.open(folder, backend(), options);
                Engine shadow = Engine.open(folder, backend(), options.withCache(Shadow.DEFAULT))) {
            float[] fresh = lastLogits(full, ids, ids.length);
            assertSame("full", lastLogits(full, ids, 511), fresh, rounding());
            assertSame("shadowkv", lastLogits(shadow, ids, 511), fresh, rounding());

            int[] prompt = Arrays.copyOf(ids, 510);
            Request request = Request.of(
                    prompt, GenerationOptions.DEFAULT.withMaxNewTokens(5).withIgnoreEos(true));
            assertThat(full.complete(request).ids()).isEqualTo(full.logits(prompt, 510, false, 5, row -> {}));
        }
    }

    private static float[] lastLogits(Engine engine, int[] ids, int prefillTokens) {
        List<float[]> rows = new ArrayList<>();
        engine.logits(ids, prefillTokens, false, 0, rows::add);
        assertThat(rows).hasSize(1);
        return rows.getFirst();
    }
}
