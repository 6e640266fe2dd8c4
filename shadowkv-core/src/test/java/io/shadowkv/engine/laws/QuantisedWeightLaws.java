package io.shadowkv.engine.laws;

import static io.shadowkv.engine.laws.Logits.assertSame;
import static io.shadowkv.engine.laws.Logits.ids;
import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import io.shadowkv.RandomCheckpoint;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.prefill.PrefillSpec;
import io.shadowkv.op.Backend;
import io.shadowkv.op.reference.ReferenceBackend;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.WeightPrecision;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/// Models with quantised weights compute what their decoded numbers say, in prompts and in steps.
public abstract class QuantisedWeightLaws extends BackendLaws {
    private static final int VOCABULARY = 64;
    /// Rows of 32, 48 and 256 inputs: blocks of 32 and of 256, and, with 48, matrices that stay as they are.
    private static final RandomCheckpoint WIDE = new RandomCheckpoint("llama", 2, 16, 2, 16, VOCABULARY, 4096, "");

    private static final RandomCheckpoint FUSED = new RandomCheckpoint("phi3", 2, 4, 2, 16, VOCABULARY, 4096, "");
    private static final Path GGUF =
            Fixtures.golden("weights").resolve("weights/tiny-llama32-Q4_K_M/tiny-llama32-Q4_K_M.gguf");

    protected QuantisedWeightLaws(BackendUnderTest tested) {
        super(tested);
    }

    private StepBench bench(Path folder, KvCacheSpec spec, Backend through, WeightPrecision precision) {
        return new StepBench(folder, through, spec, new PrefillSpec.Exact(), keysAndValues(), precision);
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "STORED")
    void agreesWithTheReference(WeightPrecision precision) {
        for (RandomCheckpoint shape : List.of(WIDE, FUSED)) {
            Path folder = shape.write(temporary.resolve(shape.family()), keysAndValues());
            checkAgainstReference(folder, precision, VOCABULARY);
        }
    }

    /// A file of mixed formats: Q4_K, Q6_K and plain norms. It is a BF16 model.
    @Test
    void aGgufFileAgreesWithTheReference() {
        if (keysAndValues() == DType.BF16) {
            checkAgainstReference(GGUF, WeightPrecision.STORED, 256);
        }
    }

    /// More prompt rows than a backend multiplies with codes, then steps.
    private void checkAgainstReference(Path folder, WeightPrecision precision, int vocabulary) {
        int[] ids = ids(310, vocabulary, 1);
        int[] prompt = Arrays.copyOf(ids, 300);
        try (Backend reference = new ReferenceBackend();
                StepBench expected = bench(folder, new KvCacheSpec.Full(), reference, precision);
                StepBench found = bench(folder, new KvCacheSpec.Full(), backend(), precision)) {
            double tolerance = atLeastRounding(1e-4);
            assertSame("prompt", found.read(0, prompt, 400, 512), expected.read(0, prompt, 400, 512), tolerance);
            for (int i = prompt.length; i < ids.length; i++) {
                assertSame("token " + i, found.feed(0, ids[i]), expected.feed(0, ids[i]), tolerance);
            }
        }
    }

    /// Neither the number of prompt rows computed at a time nor another sequence in the batch shows.
    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "STORED")
    void rowsAndBatchesDoNotShow(WeightPrecision precision) {
        Path folder = checkpoint(WIDE);
        int[] prompt = ids(75, VOCABULARY, 2);
        for (KvCacheSpec spec : STRATEGIES) {
            try (StepBench bench = bench(folder, spec, backend(), precision)) {
                float[] whole = bench.read(0, prompt, 100, 512);
                assertSame(spec.name() + " in rows of 7", bench.read(1, prompt, 100, 7), whole, rounding());
                bench.read(2, ids(50, VOCABULARY, 3), 100);
                float[] alone = bench.feed(0, 9);
                Map<Integer, float[]> together = bench.feed(Map.of(1, 9, 2, 11));
                assertSame(spec.name() + " in a batch", together.get(1), alone, rounding());
                for (int step = 0; step < 5; step++) {
                    assertThat(bench.feed(0, 5 + step)).hasSize(VOCABULARY);
                }
            }
        }
    }
}
