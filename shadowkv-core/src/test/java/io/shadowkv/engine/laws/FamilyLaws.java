package io.shadowkv.engine.laws;

import static io.shadowkv.engine.laws.Logits.assertSame;
import static io.shadowkv.engine.laws.Logits.ids;
import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.RandomCheckpoint;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.KvCacheSpec.Shadow;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Laws of both strategies for what layers of further families compute: norms of heads and of outputs, layers
/// without rotation, parts of heads that do not rotate, scales.
public abstract class FamilyLaws extends BackendLaws {
    private static final int VOCABULARY = 64;

    /// Keys rebuilt from a float factorisation differ from the originals by a few float roundings per layer.
    private static final double REBUILT = 2e-4;

    protected FamilyLaws(BackendUnderTest tested) {
        super(tested);
    }

    static List<RandomCheckpoint> families() {
        String multipliers = ", \"embedding_multiplier\": 3.0, \"attention_multiplier\": 0.3, "
                + "\"residual_multiplier\": 0.4, \"logits_scaling\": 2.5";
        String yarn = "\"rope_type\": \"yarn\", \"factor\": 16.0, \"original_max_position_embeddings\": 32";
        String experts = ", \"num_experts\": 5, \"num_experts_per_tok\": 2, \"moe_intermediate_size\": 24, "
                + "\"norm_topk_prob\": true, \"mlp_only_layers\": [1]";
        return List.of(
                family("qwen3", 2, ""),
                family("qwen3_moe", 2, experts),
                family("mistral", 2, ""),
                family("ministral3", 2, ", \"rope_parameters\": {" + yarn + ", \"llama_4_scaling_beta\": 0.1}"),
                family("granite", 2, multipliers),
                family("seed_oss", 2, ""),
                family("phi3", 2, ", \"partial_rotary_factor\": 0.75"),
                family("glm4", 2, ""),
                family("smollm3", 3, ", \"no_rope_layers\": [0, 1, 0], \"tie_word_embeddings\": false"));
    }

    private static RandomCheckpoint family(String name, int layers, String extra) {
        return new RandomCheckpoint(name, layers, 4, 2, 16, VOCABULARY, 4096, extra);
    }

    /// With full rank and a budget of everything, an indexed sequence gives full attention's logits.
    @ParameterizedTest
    @MethodSource("families")
    void anIndexOfEverythingIsFullAttention(RandomCheckpoint family) {
        Path folder = checkpoint(family);
        int[] ids = ids(111, VOCABULARY, 1);
        int[] prompt = Arrays.copyOf(ids, 91);
        try (StepBench full = bench(folder, new KvCacheSpec.Full());
                StepBench shadow = bench(folder, new Shadow(4096, 4, 72, 2, 8, 40))) {
            assertSame("prompt", shadow.read(0, prompt, 200), full.read(0, prompt, 200), rounding());
            shadow.makeRoomEarly(0);
            for (int i = prompt.length; i < ids.length; i++) {
                assertThat(shadow.cache(0).isIndexed()).isTrue();
                assertSame("token " + i, shadow.feed(0, ids[i]), full.feed(0, ids[i]), atLeastRounding(REBUILT));
            }
        }
    }

    /// Neither the number of prompt rows computed at a time nor another sequence in the batch shows in the
    /// logits.
    @ParameterizedTest
    @MethodSource("families")
    void rowsAndBatchesDoNotShow(RandomCheckpoint family) {
        Path folder = checkpoint(family);
        int[] prompt = ids(75, VOCABULARY, 2);
        int[] other = ids(50, VOCABULARY, 3);
        for (KvCacheSpec spec : STRATEGIES) {
            try (StepBench bench = bench(folder, spec)) {
                float[] whole = bench.read(0, prompt, 100, 512);
                assertSame(spec.name() + " in rows of 7", bench.read(1, prompt, 100, 7), whole, rounding());
                bench.read(2, other, 100);
                float[] alone = bench.feed(0, 9);
                Map<Integer, float[]> together = bench.feed(Map.of(1, 9, 2, 11));
                assertSame(spec.name() + " in a batch", together.get(1), alone, rounding());
            }
        }
    }

    /// An index that leaves most of the prompt out runs, through joins of the generated tokens.
    @ParameterizedTest
    @MethodSource("families")
    void aSmallIndexRuns(RandomCheckpoint family) {
        try (StepBench bench = bench(checkpoint(family), new Shadow(8, 4, 16, 2, 8, 8))) {
            bench.read(0, ids(120, VOCABULARY, 4), 200);
            for (int id : ids(30, VOCABULARY, 5)) {
                for (float logit : bench.feed(0, id)) {
                    assertThat(logit).isFinite();
                }
            }
            assertThat(bench.cache(0).isIndexed()).isTrue();
            assertThat(bench.cache(0).selections().selected()).isPositive();
        }
    }
}
