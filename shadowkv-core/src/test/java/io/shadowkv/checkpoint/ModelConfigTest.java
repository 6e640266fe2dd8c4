package io.shadowkv.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelConfigTest {
    private final ModelConfig config = ModelConfig.parse("config.json", """
            {"model_type": "phi3", "layers": 32, "whole": 4096.0, "theta": 1e4, "eps": 1e-05, "tied": true,
             "nothing": null, "eos": [2, 7], "one": 3, "wide": 4294967296, "half": 0.5, "inf": Infinity, "zero": 0,
             "architectures": ["Phi3ForCausalLM"], "mixed": [1, "x"], "digits": 1e400,
             "rope_scaling": {"type": "longrope", "long_factor": [1, 2.5], "deep": {"x": 1}}}""");

    private static void fails(ThrowingCallable call, String message) {
        assertThatThrownBy(call).isInstanceOf(CheckpointException.class).hasMessage(message);
    }

    @Test
    void valuesComeTyped() {
        assertThat(config.source()).isEqualTo("config.json");
        assertThat(config.string("model_type")).isEqualTo("phi3");
        assertThat(config.integer("layers")).isEqualTo(32);
        assertThat(config.integer("whole")).isEqualTo(4096);
        assertThat(config.positive("layers")).isEqualTo(32);
        assertThat(config.number("theta")).isEqualTo(10_000);
        assertThat(config.number("layers")).isEqualTo(32);
        assertThat(config.number("eps", 1)).isEqualTo(1e-5);
        assertThat(config.bool("tied", false)).isTrue();
        assertThat(config.integers("eos")).containsExactly(2, 7);
        assertThat(config.integers("one")).containsExactly(3);
        assertThat(config.strings("architectures")).containsExactly("Phi3ForCausalLM");
        ModelConfig scaling = config.object("rope_scaling").orElseThrow();
        assertThat(scaling.doubles("long_factor")).containsExactly(1, 2.5);
        assertThat(scaling.keys()).containsExactly("type", "long_factor", "deep");
    }

    @Test
    void nullCountsAsAbsent() {
        for (String key : new String[] {"nothing", "never written"}) {
            assertThat(config.has(key)).isFalse();
            assertThat(config.optionalString(key)).isEmpty();
            assertThat(config.optionalInteger(key)).isEmpty();
            assertThat(config.optionalNumber(key)).isEmpty();
            assertThat(config.optionalBool(key)).isEmpty();
            assertThat(config.object(key)).isEmpty();
            assertThat(config.integers(key)).isEmpty();
            assertThat(config.integer(key, 5)).isEqualTo(5);
            assertThat(config.number(key, 0.5)).isEqualTo(0.5);
            assertThat(config.bool(key, true)).isTrue();
        }
        assertThat(config.keys()).contains("eos").doesNotContain("nothing");
    }

    @Test
    void failuresNameFileKeyFoundAndExpected() {
        ModelConfig scaling = config.object("rope_scaling").orElseThrow();
        fails(() -> config.string("nothing"), "config.json: \"nothing\" is missing; expected a string");
        fails(() -> config.string("layers"), "config.json: \"layers\" is 32; expected a string");
        fails(() -> config.integer("nothing"), "config.json: \"nothing\" is missing; expected a whole number");
        fails(
                () -> config.integer("model_type"),
                "config.json: \"model_type\" is \"phi3\"; expected a whole number between -2147483648 and 2147483647");
        fails(
                () -> config.integer("half"),
                "config.json: \"half\" is 0.5; expected a whole number between -2147483648 and 2147483647");
        fails(
                () -> config.integer("wide"),
                "config.json: \"wide\" is 4294967296; expected a whole number between -2147483648 and 2147483647");
        fails(() -> config.positive("zero"), "config.json: \"zero\" is 0; expected a whole number of at least 1");
        fails(() -> config.number("tied"), "config.json: \"tied\" is true; expected a finite number");
        assertThatThrownBy(() -> config.number("inf")).hasMessageContaining("expected a finite number");
        assertThatThrownBy(() -> config.number("digits")).hasMessageContaining("expected a finite number");
        fails(() -> config.bool("layers", true), "config.json: \"layers\" is 32; expected true or false");
        fails(() -> config.object("layers"), "config.json: \"layers\" is 32; expected an object");
        fails(
                () -> config.doubles("mixed"),
                "config.json: \"mixed\" is an array of 2 elements; expected a finite number");
        fails(
                () -> config.strings("mixed"),
                "config.json: \"mixed\" is an array of 2 elements; expected an array of strings");
        fails(
                () -> scaling.doubles("short_factor"),
                "config.json: \"rope_scaling.short_factor\" is missing; expected an array of numbers");
        fails(
                () -> scaling.object("deep").orElseThrow().string("x"),
                "config.json: \"rope_scaling.deep.x\" is 1; expected a string");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {"a": 1            | not valid JSON
            {"a": 1} {}        | not valid JSON
            {'a': 1}           | not valid JSON
            {"a": 01}          | not valid JSON
            7                  | expected a JSON object, found 7
            null               | expected a JSON object, found null
            """)
    void textThatIsNoObjectIsTold(String json, String part) {
        assertThatThrownBy(() -> ModelConfig.parse("config.json", json))
                .isInstanceOf(CheckpointException.class)
                .hasMessageStartingWith("config.json: ")
                .hasMessageContaining(part);
    }

    @Test
    void excessIsRefused(@TempDir Path folder) throws IOException {
        String deep = "{\"a\":".repeat(100_000);
        assertThatThrownBy(() -> ModelConfig.parse("config.json", deep))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("nesting");
        String digits = "{\"a\": " + "9".repeat(10_000) + "}";
        assertThatThrownBy(() -> ModelConfig.parse("config.json", digits))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("config.json");
        Path large = folder.resolve("config.json");
        try (var file = new java.io.RandomAccessFile(large.toFile(), "rw")) {
            file.setLength(Json.MAX_BYTES + 1);
        }
        assertThatThrownBy(() -> ModelConfig.read(large))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("more than " + Json.MAX_BYTES + " bytes of JSON");
        assertThatThrownBy(() -> ModelConfig.read(folder.resolve("absent.json")))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("NoSuchFileException");
        for (byte[] bytes : new byte[][] {
            {'{', '"', (byte) 0xC0, (byte) 0x80, '"', ':', '1', '}'},
            "{\"a\": \"Modèle\"}".getBytes(StandardCharsets.ISO_8859_1),
            "{\"a\": 1}".getBytes(StandardCharsets.UTF_16)
        }) {
            Files.write(large, bytes);
            assertThatThrownBy(() -> ModelConfig.read(large))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining(large.getFileName() + ": is not UTF-8 text");
        }
        Files.writeString(large, "\uFEFF{\"a\": 1}");
        assertThat(ModelConfig.read(large).integer("a")).isEqualTo(1);
    }

    private static GenerationConfig generation(String generation, String model) {
        return GenerationConfig.read(
                Optional.of(ModelConfig.parse("generation_config.json", generation)),
                ModelConfig.parse("config.json", model));
    }

    @Test
    void generationValuesAreRead() {
        GenerationConfig read = generation("""
                {"eos_token_id": [2, 7, 2], "bos_token_id": 1, "pad_token_id": 0, "do_sample": true, "temperature": 0.6,
                 "top_k": 50, "top_p": 0.9, "min_p": 0.05, "repetition_penalty": 1.1, "max_new_tokens": 64}""", "{}");
        assertThat(read.eosTokenIds()).containsExactly(2, 7);
        assertThat(read.bosTokenId()).hasValue(1);
        assertThat(read.padTokenId()).hasValue(0);
        assertThat(read.doSample()).contains(true);
        assertThat(read.temperature()).hasValue(0.6);
        assertThat(read.topK()).hasValue(50);
        assertThat(read.topP()).hasValue(0.9);
        assertThat(read.minP()).hasValue(0.05);
        assertThat(read.repetitionPenalty()).hasValue(1.1);
        assertThat(read.maxNewTokens()).hasValue(64);
    }

    @Test
    void tokenIdsFallBackToTheModelsOwn() {
        GenerationConfig read = generation(
                "{\"eos_token_id\": null, \"pad_token_id\": -1}", "{\"eos_token_id\": [4, 1], \"pad_token_id\": 5}");
        assertThat(read.eosTokenIds()).containsExactly(4, 1);
        assertThat(read.padTokenId()).hasValue(5);
        assertThat(read.bosTokenId()).isEqualTo(OptionalInt.empty());
        assertThat(read.temperature()).isEqualTo(OptionalDouble.empty());
        GenerationConfig none =
                GenerationConfig.read(Optional.empty(), ModelConfig.parse("config.json", "{\"eos_token_id\": 9}"));
        assertThat(none.eosTokenIds()).containsExactly(9);
    }

    /// As other engines write what is off, and as some files list their ids.
    @Test
    void minusOneIsOffAndNullAmongIdsIsNone() {
        GenerationConfig read = generation("""
                {"eos_token_id": [2, null, 7], "temperature": -1, "top_k": -1, "top_p": -1.0, "min_p": -1,
                 "repetition_penalty": -1, "max_new_tokens": -1}""", "{}");
        assertThat(read.eosTokenIds()).containsExactly(2, 7);
        assertThat(read.temperature()).isEmpty();
        assertThat(read.topK()).isEmpty();
        assertThat(read.topP()).isEmpty();
        assertThat(read.minP()).isEmpty();
        assertThat(read.repetitionPenalty()).isEmpty();
        assertThat(read.maxNewTokens()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            "temperature": -0.1       | "temperature" is -0.1; expected a number of at least 0
            "top_k": -2               | "top_k" is -2; expected a whole number of at least 0
            "top_p": 1.5              | "top_p" is 1.5; expected a number between 0 and 1
            "min_p": "x"              | "min_p" is "x"; expected a finite number
            "repetition_penalty": 0   | "repetition_penalty" is 0; expected a number above 0
            "max_new_tokens": 0       | "max_new_tokens" is 0; expected a whole number of at least 1
            "do_sample": 1            | "do_sample" is 1; expected true or false
            "eos_token_id": [2, "x"]  | "eos_token_id" is an array of 2 elements; expected a whole number
            """)
    void generationValuesOutOfRangeAreTold(String entry, String message) {
        assertThatThrownBy(() -> generation("{" + entry + "}", "{}"))
                .isInstanceOf(CheckpointException.class)
                .hasMessageStartingWith("generation_config.json: " + message);
    }
}
