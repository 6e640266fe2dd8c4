package io.shadowkv.model.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import io.shadowkv.checkpoint.CheckpointException;
import io.shadowkv.checkpoint.ModelConfig;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What families read from their configurations, beyond what the golden models show.
class FamilyTest {
    private static DecoderSpec spec(String family, int layers, String keys) {
        ModelConfig config = config(family, layers, keys);
        return Family.of(config).spec(config);
    }

    private static ModelConfig config(String family, int layers, String keys) {
        return ModelConfig.parse("config.json", """
                {"model_type": "%s", "num_hidden_layers": %d, "hidden_size": 16, "intermediate_size": 8,
                 "num_attention_heads": 2, "head_dim": 8, "vocab_size": 8, "rms_norm_eps": 1e-5,
                 "max_position_embeddings": 256%s}
                """.formatted(family, layers, keys));
    }

    private static List<Boolean> rotations(DecoderSpec spec) {
        return spec.layerSpecs().stream().map(layer -> layer.rope() != null).toList();
    }

    private static void refused(String family, String keys, String... words) {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> spec(family, 2, keys))
                .withMessageStartingWith("config.json: ")
                .satisfies(e -> assertThat(e.getMessage()).contains(words));
    }

    /// The reason comes before what this engine reads.
    @ParameterizedTest
    @CsvSource({
        "deepseek_v3, multi-head latent attention",
        "glm_moe_dsa, multi-head latent attention",
        "qwen3_next, recurrent or linear attention",
        "qwen3_5_moe, recurrent or linear attention",
        "mamba2, recurrent or linear attention",
        "nemotron_h, recurrent or linear attention",
        "gemma3_text, alternate between sliding windows and full attention",
        "gpt_oss, sink logits",
        "mixtral, mixture of experts"
    })
    void refusesWithTheReason(String modelType, String reason) {
        refused(
                modelType,
                "",
                "model_type is \"" + modelType + "\", which this engine refuses: ",
                reason,
                "reads llama");
    }

    @Test
    void refusesTheMambaLayersOfGraniteFour() {
        refused(
                "granitemoehybrid",
                ", \"layer_types\": [\"mamba\", \"attention\"]",
                "Mamba layers",
                "dense checkpoints");
        refused("granitemoehybrid", "", "Mamba layers");
        String dense = ", \"layer_types\": [\"attention\", \"attention\"]";
        refused("granitemoehybrid", dense, "num_local_experts", "expected 0");
        refused("granitemoehybrid", dense + ", \"num_local_experts\": 0", "position_embedding_type", "rope");
    }

    /// Every kind of layer that is not full attention is refused or limits the context; none is computed as
    /// something else.
    @Test
    void refusesLayersOfAnotherKind() {
        refused(
                "llama",
                ", \"layer_types\": [\"full_attention\", \"chunked_attention\"]",
                "layer_types",
                "chunked_attention");
        refused(
                "qwen3",
                ", \"layer_types\": [\"full_attention\"]",
                "layer_types",
                "expected a type for each of 2 layers");
    }

    /// Layers with a window and layers without: the window limits the context, and both are named.
    @Test
    void aWindowOfSomeLayersLimitsTheContext() {
        DecoderSpec spec = spec(
                "qwen3",
                2,
                ", \"use_sliding_window\": true, \"sliding_window\": 100,"
                        + " \"layer_types\": [\"sliding_attention\", \"full_attention\"]");
        assertThat(spec.contextTokens()).isEqualTo(100);
        assertThat(spec.layer(0).describe()).startsWith("sliding window of 100, rotary, query and key norms");
        assertThat(spec.layer(1).describe()).startsWith("full attention, rotary, query and key norms, gated MLP of 8");
    }

    /// Mistral's window counts for every layer; its early checkpoints have one.
    @Test
    void mistralsWindowLimitsTheContext() {
        assertThat(spec("mistral", 2, ", \"sliding_window\": 64").contextNote()).isEqualTo(", its sliding_window");
        assertThat(spec("mistral", 2, ", \"sliding_window\": null").contextTokens())
                .isEqualTo(256);
    }

    /// A window that the file does not state at all is the one of the configuration class.
    @ParameterizedTest
    @CsvSource({
        "mistral, false, 4096 4096 4096 4096",
        "ministral3, false, 0 0 0 0",
        "phi3, false, 0 0 0 0",
        "qwen3, false, 0 0 0 0",
        "qwen3, true, 0 0 4096 4096",
        "qwen3_moe, true, 4096 4096 4096 4096",
    })
    void aWindowThatIsNotStated(String family, boolean isSwitched, String windows) {
        DecoderSpec spec = spec(
                family,
                4,
                ", \"max_position_embeddings\": 8192, \"max_window_layers\": 2, \"use_sliding_window\": " + isSwitched
                        + ", \"rope_parameters\": {\"rope_type\": \"default\", \"rope_theta\": 10000}, \"num_experts\": 4,"
                        + " \"num_experts_per_tok\": 2, \"moe_intermediate_size\": 8");
        assertThat(windows(spec)).isEqualTo(windows);
    }

    /// SmolLM3's layers slide where they do not rotate.
    @Test
    void layersThatDoNotRotateSlide() {
        String keys = ", \"no_rope_layers\": [1, 0, 1, 0], \"sliding_window\": 64, \"use_sliding_window\": ";
        assertThat(windows(spec("smollm3", 4, keys + true))).isEqualTo("0 64 0 64");
        assertThat(windows(spec("smollm3", 4, keys + false))).isEqualTo("0 0 0 0");
    }

    private static String windows(DecoderSpec spec) {
        return spec.layerSpecs().stream()
                .map(layer -> Integer.toString(layer.slidingWindow()))
                .collect(Collectors.joining(" "));
    }

    /// Below its chunk size dual chunk attention is plain attention.
    @Test
    void dualChunkAttentionLimitsTheContext() {
        String dual = ", \"dual_chunk_attention_config\": {\"chunk_size\": 200, \"local_size\": 8, "
                + "\"original_max_position_embeddings\": %d}";
        DecoderSpec spec = spec("qwen2", 2, dual.formatted(200));
        assertThat(spec.contextTokens()).isEqualTo(200);
        assertThat(spec.contextNote())
                .isEqualTo(", where its dual_chunk_attention_config begins to differ from plain attention, which is"
                        + " what this engine computes");
        assertThat(spec("qwen2", 2, dual.formatted(150)).contextTokens()).isEqualTo(150);
        assertThat(spec("qwen2", 2, dual.formatted(150).replace("200", "1000").replace("150", "900"))
                        .contextNote())
                .isEmpty();
    }

    @Test
    void everyFourthLayerOfSmolLm3DoesNotRotate() {
        assertThat(rotations(spec("smollm3", 5, ""))).containsExactly(true, true, true, false, true);
        assertThat(rotations(spec("smollm3", 4, ", \"no_rope_layer_interval\": 2")))
                .containsExactly(true, false, true, false);
        assertThat(rotations(spec("smollm3", 2, ", \"no_rope_layers\": [0, 1]")))
                .containsExactly(false, true);
        assertThat(rotations(spec("llama", 2, ", \"no_rope_layers\": [0, 1]"))).containsExactly(true, true);
        DecoderSpec spec = spec("smollm3", 2, "");
        assertThat(spec.tiedEmbeddings()).isTrue();
        assertThat(spec.rope().theta()).isEqualTo(2_000_000);
        refused("smollm3", ", \"no_rope_layers\": [1]", "no_rope_layers", "for each of 2 layers");
        refused("smollm3", ", \"no_rope_layers\": [0, 0]", "no layer has rotary positions");
    }

    @Test
    void granitesMultipliersAreOneIfNotStated() {
        assertThat(spec("granite", 2, "").scales()).isEqualTo(new Scales(1, 1, 1, 1, null));
        assertThat(spec("llama", 2, ", \"attention_multiplier\": 2").scales()).isEqualTo(Scales.of(8));
        refused("granite", ", \"residual_multiplier\": 0", "residual_multiplier is 0.0; expected a number above 0");
    }

    /// From the definition: 1 up to the original context, then 1 + beta · ln 2, …
    @Test
    void ministralsQueriesGrowWithTheirPosition() {
        Scales.QueryScale scale = spec(
                        "ministral3",
                        2,
                        ", \"rope_parameters\": {\"rope_type\": \"yarn\", \"factor\": 16.0, "
                                + "\"original_max_position_embeddings\": 100, \"llama_4_scaling_beta\": 0.1}")
                .scales()
                .queries();
        assertThat(scale).isNotNull();
        assertThat(scale.factor(0)).isEqualTo(1);
        assertThat(scale.factor(99)).isEqualTo(1);
        assertThat(scale.factor(100)).isCloseTo(1.0693147180559945, within(1e-15));
        assertThat(scale.factor(1599)).isCloseTo(1.2772588722239782, within(1e-15));
    }

    @Test
    void theLanguageModelOfMistral3IsRead() {
        refused("mistral3", "", "text_config", "expected an object");
        refused("mistral3", ", \"text_config\": {\"model_type\": \"deepseek_v3\"}", "latent attention");
    }

    @Test
    void absurdNumbersOfLayersAreRefused() {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> spec("llama", 2_000_000_000, ""))
                .withMessageContaining("\"num_hidden_layers\" is 2000000000; expected at most 10000");
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> spec("llama", 0, ""))
                .withMessageContaining("num_hidden_layers");
    }
}
