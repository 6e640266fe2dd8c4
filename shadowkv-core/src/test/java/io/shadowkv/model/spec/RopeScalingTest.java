package io.shadowkv.model.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import io.shadowkv.checkpoint.CheckpointException;
import io.shadowkv.checkpoint.ModelConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Scaled frequencies from configurations, against numbers worked out apart from this code: yarn's ramp from
/// the pair that turns 32 times and the one that turns once over the original context (found by bisection),
/// llama3's bands from turns rather than wavelengths.
class RopeScalingTest {
    private static RopeSpec rope(int headDim, double theta, String keys) {
        return spec(headDim, theta, keys).rope();
    }

    private static DecoderSpec spec(int headDim, double theta, String keys) {
        return Family.LLAMA.spec(config(headDim, theta, keys));
    }

    private static ModelConfig config(int headDim, double theta, String keys) {
        String json = """
                {"model_type": "llama", "num_hidden_layers": 1, "hidden_size": 16, "intermediate_size": 8,
                 "num_attention_heads": 1, "head_dim": %d, "vocab_size": 8, "rms_norm_eps": 1e-5, "rope_theta": %s%s}
                """.formatted(headDim, theta, keys);
        return ModelConfig.parse("config.json", json);
    }

    private static void assertFrequencies(RopeSpec rope, double... expected) {
        double[] found = rope.frequencies(false);
        assertThat(found).hasSameSizeAs(expected);
        for (int i = 0; i < expected.length; i++) {
            assertThat(found[i]).as("frequency of pair " + i).isCloseTo(expected[i], within(1e-12 * expected[i]));
        }
    }

    @Test
    void linearDividesEveryFrequency() {
        String scaling =
                ", \"max_position_embeddings\": 4096, \"rope_scaling\": {\"type\": \"linear\", \"factor\": 2.5}";
        RopeSpec rope = rope(8, 10_000, scaling);
        assertFrequencies(rope, 0.4, 0.04, 0.004, 0.0004);
        assertThat(rope.scaling().attentionFactor()).isEqualTo(1);
        assertThat(rope.shortLimit()).isEqualTo(Integer.MAX_VALUE);
    }

    @Test
    void yarnRampsFromKeptToDivided() {
        String scaling =
                ", \"max_position_embeddings\": 2048, \"rope_scaling\": {\"rope_type\": \"yarn\", \"factor\": 4.0, "
                        + "\"original_max_position_embeddings\": 2048}";
        RopeSpec rope = rope(16, 10_000, scaling);
        assertFrequencies(
                rope,
                1.0,
                0.31622776601683794,
                0.1,
                0.02569350598886808,
                0.00625,
                0.001383496476323666,
                0.00025,
                7.905694150420948e-05);
        // 0.1 · ln 4 + 1
        assertThat(rope.scaling().attentionFactor()).isCloseTo(1.138629436111989, within(1e-15));
        assertThat(spec(16, 10_000, scaling).contextTokens()).isEqualTo(8192);
    }

    @Test
    void yarnsRampMayEndBetweenPairs() {
        String scaling = ", \"max_position_embeddings\": 8192, \"rope_scaling\": {\"rope_type\": \"yarn\", "
                + "\"original_max_position_embeddings\": 2048, \"truncate\": false, \"attention_factor\": 1.5}";
        RopeSpec rope = rope(16, 10_000, scaling);
        // The ends are found to about 1e-13 of a pair.
        double[] expected = {
            1.0,
            0.31622776601683794,
            0.1,
            0.023870192321736323,
            0.005056971521129432,
            0.0008112903817014301,
            0.00025,
            7.905694150420948e-05
        };
        assertFrequencies(rope, expected);
        assertThat(rope.scaling().attentionFactor()).isEqualTo(1.5);
    }

    @Test
    void yarnsAttentionFactorFollowsTwoScales() {
        String scaling =
                ", \"max_position_embeddings\": 2048, \"rope_scaling\": {\"rope_type\": \"yarn\", \"factor\": 40, "
                        + "\"mscale\": 0.707, \"mscale_all_dim\": 1.0}";
        // (0.0707 · ln 40 + 1) / (0.1 · ln 40 + 1), ln 40 = 3.688879454113936
        assertThat(rope(16, 10_000, scaling).scaling().attentionFactor())
                .isCloseTo(1.2608037774058553 / 1.3688879454113936, within(1e-12));
    }

    @Test
    void llama3KeepsFastAndDividesSlowFrequencies() {
        String scaling =
                ", \"max_position_embeddings\": 131072, \"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8, "
                        + "\"low_freq_factor\": 1, \"high_freq_factor\": 4, \"original_max_position_embeddings\": 8192}";
        assertFrequencies(
                rope(16, 500_000, scaling),
                1.0,
                0.19392274474868576,
                0.03760603093086393,
                0.007292664737217109,
                0.0005248461609929547,
                3.428102195952591e-05,
                6.647869871181235e-06,
                1.2891731721515574e-06);
    }

    @Test
    void longropeDividesPairByPair() {
        String scaling =
                ", \"max_position_embeddings\": 16384, \"original_max_position_embeddings\": 512, \"rope_scaling\": "
                        + "{\"type\": \"longrope\", \"short_factor\": [1, 2, 4, 8], \"long_factor\": [10, 20, 40, 80]}";
        RopeSpec rope = rope(8, 10_000, scaling);
        assertFrequencies(rope, 1.0, 0.05, 0.0025, 0.000125);
        assertThat(rope.frequencies(true))
                .containsExactly(new double[] {0.1, 0.005, 0.00025, 0.0000125}, within(1e-18));
        assertThat(rope.shortLimit()).isEqualTo(512);
        // sqrt(1 + ln 32 / ln 512) = sqrt(14 / 9)
        assertThat(rope.scaling().attentionFactor()).isCloseTo(Math.sqrt(14.0 / 9), within(1e-15));
    }

    private static String longrope(String outer, String inner) {
        return ", \"max_position_embeddings\": 16384" + outer + ", \"rope_scaling\": {\"type\": \"longrope\", "
                + "\"short_factor\": [1, 2, 4, 8], \"long_factor\": [10, 20, 40, 80]" + inner + "}";
    }

    /// As transformers 5.18; transformers 4.57 takes the ratio of the contexts, 32, where both are stated.
    @Test
    void longropesStatedFactorComesBeforeTheRatioOfItsContexts() {
        String stated = longrope(", \"original_max_position_embeddings\": 512", ", \"factor\": 8");
        // sqrt(1 + ln 8 / ln 512) = sqrt(4 / 3)
        assertThat(rope(8, 10_000, stated).scaling().attentionFactor()).isCloseTo(Math.sqrt(4.0 / 3), within(1e-15));
        assertThat(rope(8, 10_000, stated).shortLimit()).isEqualTo(512);
        String both =
                longrope(", \"original_max_position_embeddings\": 512", ", \"factor\": 8, \"attention_factor\": 1.25");
        assertThat(rope(8, 10_000, both).scaling().attentionFactor()).isEqualTo(1.25);
    }

    /// The outer key counts where both are stated, as in transformers 5.18.
    @Test
    void theOriginalContextMayStandInEitherPlace() {
        String inside = longrope("", ", \"original_max_position_embeddings\": 1024");
        assertThat(rope(8, 10_000, inside).shortLimit()).isEqualTo(1024);
        String twice =
                longrope(", \"original_max_position_embeddings\": 512", ", \"original_max_position_embeddings\": 1024");
        assertThat(rope(8, 10_000, twice).shortLimit()).isEqualTo(512);
        assertThat(rope(8, 10_000, longrope("", "")).shortLimit()).isEqualTo(16_384);
        String phi = longrope("", "").replace("{\"type\"", "{\"rope_type\"");
        assertThat(Family.PHI3.spec(config(8, 10_000, phi)).rope().shortLimit()).isEqualTo(4096);
    }

    @Test
    void yarnsScaleOfZeroCountsAsNotGiven() {
        String scaling = ", \"max_position_embeddings\": 2048, \"rope_scaling\": {\"rope_type\": \"yarn\", "
                + "\"factor\": 4.0, \"mscale\": 0.707, \"mscale_all_dim\": 0}";
        assertThat(rope(16, 10_000, scaling).scaling().attentionFactor())
                .isCloseTo(0.1 * Math.log(4) + 1, within(1e-15));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {"type": "linear", "factor": 0}      | rope scaling linear has factor 0.0; expected a number above 0
            {"type": "linear", "factor": -2}     | rope scaling linear has factor -2.0; expected a number above 0
            {"type": "linear", "factor": NaN}    | "rope_scaling.factor" is "NaN"; expected a finite number
            {"type": "linear", "factor": 1e999}  | "rope_scaling.factor" is
            {"type": "linear"}                   | "rope_scaling.factor" is missing; expected a number
            {"type": "yarn", "factor": 0}        | rope scaling yarn has factor 0.0; expected
            {"type": "yarn", "factor": -4}       | rope scaling yarn has factor -4.0; expected
            {"type": "yarn", "factor": 2, "attention_factor": 0} | yarn has attention_factor 0.0; expected
            {"type": "yarn", "factor": 2, "beta_fast": -1}       | yarn has beta_fast -1.0; expected
            {"type": "yarn", "factor": 2, "original_max_position_embeddings": 0} | is 0; expected a whole number of at least 1
            {"type": "llama3", "factor": 0, "low_freq_factor": 1, "high_freq_factor": 4} | llama3 has factor 0.0; expected
            {"type": "llama3", "factor": 8, "low_freq_factor": 0, "high_freq_factor": 4} | llama3 has low_freq_factor 0.0
            {"type": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 1} | expected the first to be larger
            {"type": "longrope", "short_factor": [1, 1, 1, 0], "long_factor": [1, 1, 1, 1]} | longrope has short_factor 0.0
            {"type": "longrope", "short_factor": [1, 1, 1, 1], "long_factor": [1, 1, -1, 1]} | has long_factor -1.0
            {"type": "longrope", "short_factor": [1, 1], "long_factor": [1, 1, 1, 1]} | 2 numbers in short_factor; expected 4
            {"type": "longrope", "short_factor": [1, 1, 1, 1], "long_factor": [1, 1, 1, 1], "factor": 0} | "rope_scaling.factor" is 0; expected a number above 0
            {"type": "longrope", "short_factor": [1, 1, 1, 1], "long_factor": [1, 1, 1, 1], "factor": 2, "original_max_position_embeddings": 1} | longrope has attention_factor Infinity
            """)
    void factorsThatGiveNoAngleAreRefused(String scaling, String message) {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> rope(8, 10_000, ", \"max_position_embeddings\": 64, \"rope_scaling\": " + scaling))
                .withMessageStartingWith("config.json: ")
                .withMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {"0", "-1", "1e999", "1e308, \"rope_type\": \"linear\", \"factor\": 1e200"})
    void aBaseThatGivesNoAngleIsRefused(String theta) {
        String keys = ", \"max_position_embeddings\": 64, \"rope_parameters\": {\"rope_theta\": " + theta + "}";
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> rope(8, 10_000, keys))
                .withMessageContaining("rope_theta");
    }

    @ParameterizedTest
    @CsvSource({"0", "-0.5", "2"})
    void aShareOfTheHeadThatCannotRotateIsRefused(String share) {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(
                        () -> rope(8, 10_000, ", \"max_position_embeddings\": 64, \"partial_rotary_factor\": " + share))
                .withMessageContaining("rotary dimension is ");
    }

    /// Linear scaling reads `factor` times the positions, as vLLM does: Vicuna 16K states 4096 and 4, others the
    /// product itself with the original context next to it.
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            128, "rope_scaling": {"type": "linear", "factor": 4.0}   | 512
            128, "rope_scaling": {"type": "linear", "factor": 0.5}   | 128
            512, "original_max_position_embeddings": 128, "rope_scaling": {"type": "linear", "factor": 4} | 512
            128, "rope_scaling": {"type": "linear", "factor": 1e12}  | 2147483647
            128, "rope_scaling": {"type": "yarn", "factor": 1e12}    | 2147483647
            """)
    void scalingExtendsTheContext(String keys, int tokens) {
        assertThat(spec(8, 10_000, ", \"max_position_embeddings\": " + keys).contextTokens())
                .isEqualTo(tokens);
    }

    /// The window counts as each family's own configuration class reads it (transformers 5.18).
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            phi3  | "sliding_window": 127                                                     | 127
            phi3  | "sliding_window": null                                                    | 0
            phi3  | "sliding_window": 256                                                     | 0
            qwen2 | "sliding_window": 64                                                      | 0
            qwen2 | "sliding_window": 64, "use_sliding_window": false                         | 0
            qwen2 | "sliding_window": 64, "use_sliding_window": true, "max_window_layers": 0  | 64
            qwen2 | "sliding_window": 64, "use_sliding_window": true                          | 0
            qwen2 | "sliding_window": 64, "use_sliding_window": true, "layer_types": ["sliding_attention"] | 64
            qwen2 | "sliding_window": 64, "use_sliding_window": true, "layer_types": ["full_attention"] | 0
            llama | "sliding_window": 64                                                      | 0
            llama | "sliding_window": 64, "layer_types": ["sliding_attention"]                | 64
            """)
    void aWindowEndsTheContext(String family, String keys, int window) {
        ModelConfig config = config(8, 10_000, ", \"max_position_embeddings\": 256, " + keys);
        DecoderSpec spec =
                Family.valueOf(family.toUpperCase(java.util.Locale.ROOT)).spec(config);
        assertThat(spec.layer(0).slidingWindow()).isEqualTo(window);
        assertThat(spec.contextTokens()).isEqualTo(window == 0 ? 256 : window);
        assertThat(spec.contextNote()).isEqualTo(window == 0 ? "" : ", its sliding_window");
    }

    @Test
    void anUnknownScalingIsNamed() {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> rope(
                        8,
                        10_000,
                        ", \"max_position_embeddings\": 64, \"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 2}"))
                .withMessage(
                        "config.json: rope scaling of type \"dynamic\" is not known; this engine reads default, linear, "
                                + "llama3, yarn and longrope");
    }

    @Test
    void headsThatDoNotDivideAreNamed() {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> rope(8, 10_000, ", \"max_position_embeddings\": 64, \"num_key_value_heads\": 3"))
                .withMessage(
                        "config.json: num_attention_heads is 1 and num_key_value_heads 3; expected a whole number of "
                                + "query heads per key-value head");
    }
}
