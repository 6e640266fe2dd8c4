package io.shadowkv.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.text.ByteAlphabet;
import io.shadowkv.text.Json;
import io.shadowkv.text.Tokenizer;
import io.shadowkv.text.TokenizerException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.node.ObjectNode;

/// Tests what the small files of a folder add to its `tokenizer.json`, compared with transformers
/// 4.57.
class TokenizerFilesTest {
    /// A token for each byte, followed by `<b>` 256 and `<e>` 257.
    private static final int BEGIN = 256;

    private static final int END = 257;
    private static final int NEXT = 258;
    private static final String BYTES =
            "{\"type\": \"ByteLevel\", \"add_prefix_space\": true, \"trim_offsets\": false}";
    private static final String TEMPLATE = """
            {"type": "TemplateProcessing",
             "single": [{"SpecialToken": {"id": "<b>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
             "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
             "special_tokens": {"<b>": {"id": "<b>", "ids": [256], "tokens": ["<b>"]}}}""";

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                // The config decides for the classes for which transformers 4 uses it.
                "LlamaTokenizerFast, true, false, bytes, b a",
                "LlamaTokenizer, true, true, bytes, b a e",
                "LlamaTokenizer, false, false, template, a",
                "LlamaTokenizer, true, false, template, b a",
                "GemmaTokenizer, true, false, bytes, b a",
                "-, true, -, bytes, b a",
                // The others follow tokenizer.json in transformers 4 and 5.
                "Qwen2Tokenizer, true, false, bytes, a",
                "PreTrainedTokenizerFast, false, false, template, b a",
                "TokenizersBackend, true, -, bytes, a",
                "LlamaTokenizer, -, -, bytes, a",
                "LlamaTokenizer, -, -, template, b a",
                "LlamaTokenizer, -, true, template, b a e",
            })
    void putsTheBeginningWhereTheConfigSays(
            String type, Boolean begins, Boolean ends, String processor, String expected) throws IOException {
        tokenizerJson(processor.equals("bytes") ? BYTES : TEMPLATE);
        ObjectNode config = Json.object();
        config.put("bos_token", "<b>").put("tokenizer_class", type);
        config.put("add_bos_token", begins).put("add_eos_token", ends);
        config.putObject("eos_token")
                .put("__type", "AddedToken")
                .put("content", "<e>")
                .put("normalized", true);
        Files.writeString(folder.resolve("tokenizer_config.json"), Json.text(config));
        try (Tokenizer tokenizer = Tokenizers.open(folder)) {
            int[] ids = tokenizer.encode("a", true);
            String shown = String.join(
                    " ", tokenizer.decode(ids, false).replaceAll("[<>]", "").split(""));
            assertThat(shown).isEqualTo(expected);
            assertThat(tokenizer.beginning())
                    .containsExactly(expected.startsWith("b") ? new int[] {BEGIN} : new int[0]);
            assertThat(tokenizer.beginsTwice("<b>a")).isEqualTo(expected.startsWith("b"));
            assertThat(tokenizer.beginsTwice("a<b>")).isFalse();
            assertThat(tokenizer.endOfSequence()).hasValue(END);
            assertThat(tokenizer.encode("a", false)).containsExactly('a');
        }
    }

    @Test
    void aBeginningThatIsNotNamedIsNotAdded() throws IOException {
        tokenizerJson(BYTES);
        config("{\"tokenizer_class\": \"LlamaTokenizer\", \"add_bos_token\": true, \"bos_token\": null}");
        try (Tokenizer tokenizer = Tokenizers.open(folder)) {
            assertThat(tokenizer.encode("a", true)).containsExactly('a');
            assertThat(tokenizer.endOfSequence()).isEmpty();
        }
    }

    @Test
    void knowsTokensThatStandInTheConfigOnly() throws IOException {
        tokenizerJson(BYTES);
        // The ids are ignored, like those of tokenizer.json: tokens are numbered consecutively.
        config("""
                {"added_tokens_decoder": {
                   "300": {"content": "<y>", "special": false},
                   "258": {"content": "<x>", "special": true, "normalized": false},
                   "257": {"content": "<e>", "special": false, "rstrip": true}}}""");
        try (Tokenizer tokenizer = Tokenizers.open(folder)) {
            assertThat(tokenizer.encode("a<x><y>b", false)).containsExactly('a', NEXT, NEXT + 1, 'b');
            assertThat(tokenizer.decode(new int[] {'a', NEXT, NEXT + 1, 'b'}, true))
                    .isEqualTo("a<y>b");
            assertThat(tokenizer.vocabularySize()).isEqualTo(NEXT + 2);
            assertThat(tokenizer.specialTokens().spellings()).containsExactlyInAnyOrder("<b>", "<e>", "<x>");
            assertThat(tokenizer.encode("<e>  b", false)).as("rstrip").containsExactly(END, 'b');
        }
    }

    @Test
    void knowsTheTokensOfOlderFolders() throws IOException {
        tokenizerJson(BYTES);
        config("{\"pad_token\": \"<x>\"}");
        Files.writeString(folder.resolve("added_tokens.json"), "{\"<y>\": 259, \"<x>\": 258, \"<b>\": 256}");
        try (Tokenizer tokenizer = Tokenizers.open(folder)) {
            assertThat(tokenizer.encode("<b>a<x><y>b", false)).containsExactly(BEGIN, 'a', NEXT, NEXT + 1, 'b');
            assertThat(tokenizer.decode(new int[] {'a', NEXT, NEXT + 1, 'b'}, true))
                    .isEqualTo("a<y>b");
        }
        config("{\"added_tokens_decoder\": {}}");
        try (Tokenizer tokenizer = Tokenizers.open(folder)) {
            assertThat(tokenizer.id("<y>"))
                    .as("the newer way of saying it counts")
                    .isEmpty();
        }
        Files.writeString(folder.resolve("added_tokens.json"), "{\"<y>\": \"258\"}");
        config("{}");
        assertThatThrownBy(() -> Tokenizers.open(folder))
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining("added_tokens.json: the token \"<y>\" has the id \"258\"");
    }

    @Test
    void tokensWithARoleAreSpecial() throws IOException {
        tokenizerJson(BYTES);
        config("""
                {"eos_token": "h", "pad_token": {"content": "<x>"}, "bos_token": "<b>",
                 "additional_special_tokens": ["<y>", {"content": "<z>"}], "extra_special_tokens": {"image": "<w>"}}""");
        try (Tokenizer tokenizer = Tokenizers.open(folder)) {
            assertThat(tokenizer.endOfSequence()).hasValue('h');
            assertThat(tokenizer.isSpecial('h')).isTrue();
            assertThat(tokenizer.encode("oh<x><y><z><w>", false))
                    .containsExactly('o', 'h', NEXT, NEXT + 1, NEXT + 2, NEXT + 3);
            assertThat(tokenizer.decode(tokenizer.encode("oh<x><y>!", false), true))
                    .isEqualTo("o!");
            assertThat(tokenizer.encodeAsText("oh<x>")).containsExactly('o', 'h', '<', 'x', '>');
        }
    }

    private void config(String json) throws IOException {
        Files.writeString(folder.resolve("tokenizer_config.json"), json);
    }

    private void tokenizerJson(String postProcessor) throws IOException {
        ObjectNode root = Json.object("""
                {"version": "1.0", "model": {"type": "BPE", "vocab": {}, "merges": []},
                 "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
                  "use_regex": false},
                 "decoder": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true}, "added_tokens": [], "post_processor":""" + postProcessor + "}", "test");
        ObjectNode vocabulary = (ObjectNode) root.path("model").path("vocab");
        for (int value = 0; value < BEGIN; value++) {
            vocabulary.put(ByteAlphabet.token(new byte[] {(byte) value}), value);
        }
        for (String token : List.of("<b>", "<e>")) {
            root.withArray("added_tokens")
                    .addObject()
                    .put("id", token.equals("<b>") ? BEGIN : END)
                    .put("content", token)
                    .put("single_word", false)
                    .put("lstrip", false)
                    .put("rstrip", false)
                    .put("normalized", false)
                    .put("special", true);
        }
        Files.writeString(folder.resolve("tokenizer.json"), Json.text(root));
    }
}
