package io.shadowkv.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.Fixtures;
import io.shadowkv.text.tokenizer.GoldenLines;
import io.shadowkv.text.tokenizer.Tokenizers;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The bytes of tokens, put together, are the text that decoding makes of them.
class TokenBytesTest {
    private static final List<String> TEXTS = List.of(
            "{\"name\": \"Zoë\", \"n\": [1, 2.5e-7]}", "  two  blanks\n\ttab 你好，世界 😀 Ωμέγα \u0001 ▁ Ġ", "naïve café");

    private static Tokenizer open(String kind) {
        return Tokenizers.open(
                kind.equals("needle")
                        ? Fixtures.needleModel()
                        : GoldenLines.root().resolve(kind));
    }

    @ParameterizedTest
    @ValueSource(strings = {"bbpe-llama3", "bbpe-qwen2", "sp-phi3", "sp-yi", "sp-metaspace", "glm-tiktoken", "needle"})
    void bytesOfTokensAreTheText(String kind) {
        try (Tokenizer tokenizer = open(kind)) {
            // A token before each text, because some decoders treat the first token differently.
            int[] before = tokenizer.encode("a", false);
            String start = tokenizer.decode(before, false);
            for (String text : TEXTS) {
                int[] ids = tokenizer.encode(text, false);
                int[] all = java.util.Arrays.copyOf(before, before.length + ids.length);
                System.arraycopy(ids, 0, all, before.length, ids.length);
                assertThat(start + joined(tokenizer, ids)).as(text).isEqualTo(tokenizer.decode(all, false));
            }
        }
    }

    /// Each token alone, behind another.
    @ParameterizedTest
    @ValueSource(strings = {"bbpe-llama3", "bbpe-qwen2", "sp-phi3", "sp-yi", "sp-metaspace", "glm-tiktoken", "needle"})
    void bytesOfEachTokenAreItsText(String kind) {
        try (Tokenizer tokenizer = open(kind)) {
            int before = tokenizer.encode("ab", false)[0];
            String start = tokenizer.decode(new int[] {before}, false);
            int compared = 0;
            for (int id = 0; id < tokenizer.vocabularySize(); id++) {
                String text = new String(tokenizer.bytes(id), StandardCharsets.UTF_8);
                if (!text.contains("\ufffd")) {
                    assertThat(start + text).isEqualTo(tokenizer.decode(new int[] {before, id}, false));
                    compared++;
                }
            }
            assertThat(compared).isGreaterThan(700);
            assertThat(tokenizer.bytes(tokenizer.vocabularySize())).isEmpty();
        }
    }

    private static String joined(Tokenizer tokenizer, int[] ids) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int id : ids) {
            bytes.writeBytes(tokenizer.bytes(id));
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Test
    void stagesSayWhatATokenAdds() {
        assertThat(bytes(new DetokenizerStage.Blanks(), "ab")).isEqualTo(" ab");
        assertThat(bytes(new DetokenizerStage.Metaspace("▁", true), "▁ab")).isEqualTo(" ab");
        assertThat(bytes(new DetokenizerStage.Strip('x', 1, 1, false), "xxax")).isEqualTo("xa");
        assertThat(bytes(new DetokenizerStage.Strip('x', 1, 1, true), "xxax")).isEqualTo("xxax");
        assertThat(bytes(new DetokenizerStage.ByteFallback(), "<0x4A>")).isEqualTo("J");
        assertThat(bytes(new DetokenizerStage.ByteLevel(), "Ġa")).isEqualTo(" a");
        assertThat(TokenBytes.of(List.of(new DetokenizerStage.ByteFallback(), new DetokenizerStage.Replace("a", "b"))))
                .as("a stage that would see characters of several byte tokens")
                .isEmpty();
    }

    private static String bytes(DetokenizerStage stage, String token) {
        return new String(TokenBytes.of(List.of(stage)).orElseThrow().bytes(token), StandardCharsets.UTF_8);
    }

    @Test
    void saysThatADecoderMustSeeTheWholeText(@TempDir Path folder) throws IOException {
        String json = Files.readString(GoldenLines.root().resolve("bbpe-llama3/tokenizer.json"));
        int at = json.indexOf("\"decoder\"");
        int end = json.indexOf('}', at);
        Files.writeString(
                folder.resolve("tokenizer.json"),
                json.substring(0, at) + "\"decoder\":{\"type\":\"WordPiece\",\"prefix\":\"##\",\"cleanup\":true"
                        + json.substring(end));
        try (Tokenizer tokenizer = Tokenizers.open(folder)) {
            assertThatThrownBy(() -> tokenizer.bytes(5))
                    .isInstanceOf(UnsupportedOperationException.class)
                    .hasMessageContaining("tokenizer.json")
                    .hasMessageContaining("whole text");
        }
    }
}
