package io.shadowkv.cli;

import static io.shadowkv.cli.Shell.shadowkv;
import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

class TokenizeCommandTest {
    private static final String TEXT = "The needle é is\n here, 42.";

    @TempDir
    Path temporary;

    @Test
    void showsTokensAndGivesTheTextBack() {
        Shell.Result table = shadowkv("tokenize", "needle-32k", TEXT).succeeded();
        assertThat(table.out()).contains("Ġis", "\" is\"", "\"\\n\"");
        String ids =
                shadowkv("tokenize", "needle-32k", TEXT, "--ids").succeeded().out();
        assertThat(ids).matches("\\[\\d+(, \\d+)*]\\R");
        assertThat(table.out().lines()).hasSize(ids.split(",").length);
        assertThat(shadowkv("tokenize", "needle-32k", "--decode", ids.strip())
                        .succeeded()
                        .out()
                        .stripTrailing())
                .isEqualTo(TEXT);
        assertThat(new Shell()
                        .typing(TEXT)
                        .run("tokenize", "needle-32k", "--ids")
                        .succeeded()
                        .out())
                .isEqualTo(ids);
    }

    @Test
    void writesJson() {
        JsonNode json = shadowkv("tokenize", "needle-32k", TEXT, "--json").json();
        assertThat(json.get("text").stringValue()).isEqualTo(TEXT);
        assertThat(json.get("ids").size()).isEqualTo(json.get("tokens").size()).isPositive();
    }

    @Test
    void addsSpecialTokensWhereTheModelHasThem() {
        Path folder = Fixtures.golden("tokenizers").resolve("tokenizers/bbpe-llama3");
        int with = shadowkv("tokenize", folder, "hello", "--json")
                .json()
                .get("ids")
                .size();
        int without = shadowkv("tokenize", folder, "hello", "--json", "--no-special")
                .json()
                .get("ids")
                .size();
        assertThat(with).isEqualTo(without + 1);
    }

    @Test
    void rendersAConversation() throws IOException {
        Path file = Files.writeString(temporary.resolve("chat.json"), "[{\"role\": \"user\", \"content\": \"Hello\"}]");
        JsonNode json =
                shadowkv("tokenize", "needle-32k", "--chat", file, "--json").json();
        assertThat(json.get("text").stringValue())
                .isEqualTo(
                        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>You are a helpful assistant<|eot_id|>"
                                + "<|start_header_id|>user<|end_header_id|>Hello<|eot_id|>"
                                + "<|start_header_id|>assistant<|end_header_id|>");
        assertThat(json.get("tokens").get(0).stringValue()).isEqualTo("<|begin_of_text|>");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{} | expected a JSON array of messages",
                "[{\"content\": \"x\"}] | needs a text field \"role\"",
                "[1 | expected a JSON array of messages",
            })
    void refusesWhatIsNoConversation(String content, String reason) throws IOException {
        Path file = Files.writeString(temporary.resolve("chat.json"), content);
        shadowkv("tokenize", "needle-32k", "--chat", file).refused(1, reason);
    }

    @Test
    void refusesIdsThatAreNone() {
        shadowkv("tokenize", "needle-32k", "--decode", "1,x").refused(1, "'x' is not a token id");
        shadowkv("tokenize", "needle-32k", "--decode", "5000")
                .refused(1, "id 5000 at position 0 is not in the vocabulary");
        shadowkv("tokenize", "needle-32k", "--decode=-1").refused(1, "id -1 at position 0 is not in the vocabulary");
    }
}
