package io.shadowkv.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.Fixtures;
import io.shadowkv.text.Json;
import io.shadowkv.text.TextFile;
import io.shadowkv.text.Tokenizer;
import io.shadowkv.text.TokenizerException;
import io.shadowkv.text.chat.ChatMessage;
import io.shadowkv.text.chat.ChatTemplate;
import io.shadowkv.text.gguf.GgufHeader;
import io.shadowkv.text.gguf.GgufWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Tokenizers in the metadata of GGUF files: one that llama.cpp's converter wrote, and those of the golden
/// tokenizers rewritten as metadata, which must encode as their originals.
class GgufTokenizerTest {
    private static final String MODEL = "tiny-llama32-Q4_K_M";
    private static final Path GOLDEN =
            Fixtures.golden("weights").resolve("weights").resolve(MODEL);

    @TempDir
    Path folder;

    @Test
    void encodesAsLlamaCppAndTransformersDo() {
        JsonNode golden = Json.object(TextFile.utf8(GOLDEN.resolve("golden/golden.json")), "golden.json");
        Path file = GOLDEN.resolve(MODEL + ".gguf");
        try (Tokenizer tokenizer = Tokenizers.open(file)) {
            for (JsonNode line : golden.path("tokenize_without_bos")) {
                String text = line.path("text").stringValue();
                assertThat(tokenizer.encode(text, false)).as(text).isEqualTo(ints(line.path("ids")));
                assertThat(tokenizer.decode(ints(line.path("ids")), false)).isEqualTo(text);
            }
            assertThat(tokenizer.encode("", true)).isEqualTo(ints(golden.path("llama_cpp_add_special_adds_first")));
            assertThat(tokenizer.endOfSequence()).hasValue(508);

            JsonNode chat = golden.path("chat_template_example");
            List<ChatMessage> messages = new ArrayList<>();
            chat.path("messages")
                    .forEach(message -> messages.add(new ChatMessage(
                            message.path("role").stringValue(),
                            message.path("content").stringValue())));
            ChatTemplate template = ChatTemplate.open(file).orElseThrow();
            assertThat(template.render(messages, true))
                    .isEqualTo(chat.path("text").stringValue());
            assertThat(tokenizer.encode(template.render(messages, true), false)).isEqualTo(ints(chat.path("ids")));
            assertThat(template.endOfTurn(tokenizer)).hasValue(508);
        }
    }

    private static int[] ints(JsonNode array) {
        return array.valueStream().mapToInt(JsonNode::intValue).toArray();
    }

    @ParameterizedTest
    @CsvSource({"bbpe-llama3, llama-bpe", "bbpe-qwen2, qwen2"})
    void bytePairsEncodeAsTheirTokenizerJson(String name, String splitting) {
        Path original = Fixtures.golden("tokenizers").resolve("tokenizers").resolve(name);
        JsonNode root = Json.object(TextFile.utf8(original.resolve("tokenizer.json")), name);
        TreeMap<Integer, String> tokens = new TreeMap<>();
        root.path("model")
                .path("vocab")
                .properties()
                .forEach(entry -> tokens.put(entry.getValue().intValue(), entry.getKey()));
        int ordinary = tokens.size();
        root.path("added_tokens")
                .forEach(token -> tokens.put(
                        token.path("id").intValue(), token.path("content").stringValue()));
        List<Integer> types = new ArrayList<>();
        tokens.keySet().forEach(id -> types.add(id < ordinary ? 1 : 3));
        List<String> merges = new ArrayList<>();
        root.path("model")
                .path("merges")
                .forEach(merge -> merges.add(
                        merge.isArray()
                                ? merge.path(0).stringValue() + " "
                                        + merge.path(1).stringValue()
                                : merge.stringValue()));
        Path file = new GgufWriter()
                .put("tokenizer.ggml.model", "gpt2")
                .put("tokenizer.ggml.pre", splitting)
                .put("tokenizer.ggml.tokens", List.copyOf(tokens.values()))
                .put("tokenizer.ggml.token_type", types)
                .put("tokenizer.ggml.merges", merges)
                .put("tokenizer.ggml.bos_token_id", ordinary)
                .write(folder.resolve("model.gguf"));

        compare(original, file, false);
        try (Tokenizer tokenizer = Tokenizers.open(file)) {
            // llama.cpp adds the begin token for Llama 3 where the file does not say.
            assertThat(tokenizer.encode("", true)).hasSize(splitting.equals("llama-bpe") ? 1 : 0);
        }
    }

    /// The archive has the converted form of these models only. A piece's place stands for its score, as in the
    /// models that these were made after.
    @ParameterizedTest
    @ValueSource(strings = {"sp-yi", "sp-phi3"})
    void piecesEncodeAsTheirTokenizerJson(String name) {
        Path original = Fixtures.golden("tokenizers").resolve("tokenizers").resolve(name);
        JsonNode root = Json.object(TextFile.utf8(original.resolve("tokenizer.json")), name);
        TreeMap<Integer, String> tokens = new TreeMap<>();
        TreeMap<Integer, Integer> types = new TreeMap<>();
        root.path("model").path("vocab").properties().forEach(entry -> {
            int id = entry.getValue().intValue();
            tokens.put(id, entry.getKey());
            types.put(id, entry.getKey().matches("<0x[0-9A-F]{2}>") ? 6 : 1);
        });
        root.path("added_tokens").forEach(token -> {
            int id = token.path("id").intValue();
            String text = token.path("content").stringValue();
            tokens.put(id, text);
            types.put(id, text.equals("<unk>") ? 2 : token.path("special").booleanValue() ? 3 : 4);
        });
        List<Float> scores = tokens.keySet().stream().map(id -> (float) -id).toList();
        boolean isPrefixed = Json.text(root.path("normalizer")).contains("Prepend");
        Path file = new GgufWriter()
                .put("tokenizer.ggml.model", "llama")
                .put("tokenizer.ggml.add_space_prefix", isPrefixed)
                .put("tokenizer.ggml.tokens", List.copyOf(tokens.values()))
                .put("tokenizer.ggml.scores", scores)
                .put("tokenizer.ggml.token_type", List.copyOf(types.values()))
                .write(folder.resolve("model.gguf"));

        compare(original, file, true);
    }

    /// @param isPlain true to leave out texts with special tokens, around which the files may say that blanks go
    private static void compare(Path original, Path file, boolean isPlain) {
        int compared = 0;
        try (Tokenizer expected = Tokenizers.open(original);
                Tokenizer found = Tokenizers.open(file)) {
            for (String line :
                    TextFile.utf8(original.resolve("golden_encode.jsonl")).split("\n")) {
                String text = Json.object(line, original).path("text").stringValue();
                if (!isPlain || !text.contains("<")) {
                    assertThat(found.encode(text, false)).as(text).isEqualTo(expected.encode(text, false));
                    compared++;
                }
            }
        }
        assertThat(compared).isGreaterThan(20);
    }

    @Test
    void refusesWhatItWouldSplitInAnotherWay() {
        GgufWriter writer = new GgufWriter()
                .put("tokenizer.ggml.model", "gpt2")
                .put("tokenizer.ggml.pre", "jais")
                .put("tokenizer.ggml.tokens", List.of("a", "b"))
                .put("tokenizer.ggml.merges", List.of("a b"));

        refused(writer, "\"tokenizer.ggml.pre\" is \"jais\"; expected one of llama-bpe");
        refused(writer.remove("tokenizer.ggml.pre"), "\"tokenizer.ggml.pre\" is missing");
        writer.put("tokenizer.ggml.pre", "qwen2");
        refused(writer.put("tokenizer.ggml.merges", List.of("ab")), "found \"ab\"");
        writer.put("tokenizer.ggml.merges", List.of("a b"));
        refused(writer.put("tokenizer.ggml.token_type", List.of(1)), "expected 2 numbers, one for each token");
        writer.remove("tokenizer.ggml.token_type");
        refused(writer.put("tokenizer.ggml.eos_token_id", 2), "the number of one of the 2 tokens");
        writer.remove("tokenizer.ggml.eos_token_id");
        refused(writer.put("tokenizer.ggml.model", "t5"), "\"t5\"; expected gpt2 or llama");
        refused(writer.put("tokenizer.ggml.tokens", List.of("a", "a")), "\"a\" is 0 and 1");
        refused(writer.put("tokenizer.ggml.tokens", 7), "is \"7\"; expected an array of strings");
        refused(writer.remove("tokenizer.ggml.tokens"), "\"tokenizer.ggml.tokens\" is missing");
    }

    private void refused(GgufWriter writer, String message) {
        Path file = writer.write(folder.resolve("refused.gguf"));
        assertThatThrownBy(() -> Tokenizers.open(file).close())
                .isInstanceOf(TokenizerException.class)
                .hasMessageStartingWith("refused.gguf: ")
                .hasMessageContaining(message);
    }

    /// A header of a large vocabulary takes long to read: once is enough.
    @Test
    void theFileIsNotReadAgain() throws IOException {
        Path file = new GgufWriter()
                .put("tokenizer.ggml.model", "gpt2")
                .put("tokenizer.ggml.pre", "qwen2")
                .put("tokenizer.ggml.tokens", List.of("a", "b", "ab", "</s>"))
                .put("tokenizer.ggml.merges", List.of("a b"))
                .put("tokenizer.ggml.eos_token_id", 3)
                .write(folder.resolve("model.gguf"));
        GgufHeader header = GgufHeader.read(file);
        Files.delete(file);
        try (Tokenizer tokenizer = GgufTokenizer.of(header)) {
            assertThat(tokenizer.encode("ab", false)).containsExactly(2);
        }
    }

    @Test
    void namedTemplatesAreFound() {
        Path file = new GgufWriter()
                .put("tokenizer.ggml.tokens", List.of("<s>"))
                .put("tokenizer.ggml.bos_token_id", 0)
                .put("tokenizer.chat_template", "{{ bos_token }}plain")
                .put("tokenizer.chat_template.tool_use", "tools")
                .write(folder.resolve("model.gguf"));
        ChatTemplate template = ChatTemplate.open(file).orElseThrow();

        assertThat(template.render(List.of(new ChatMessage("user", "x")), false))
                .isEqualTo("<s>plain");
        assertThat(template.render(List.of(new ChatMessage("user", "x")), false, java.util.Map.of("tools", List.of(1))))
                .isEqualTo("tools");
    }
}
