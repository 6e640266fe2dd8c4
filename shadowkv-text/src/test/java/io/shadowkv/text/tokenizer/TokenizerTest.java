package io.shadowkv.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.Fixtures;
import io.shadowkv.text.MarkedText;
import io.shadowkv.text.Tokenizer;
import io.shadowkv.text.TokenizerException;
import io.shadowkv.text.chat.ChatMessage;
import io.shadowkv.text.chat.ChatTemplate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What holds for every tokenizer, and what is said of files that are none.
class TokenizerTest {
    private static final String[] KINDS = {
        "bbpe-llama3", "bbpe-qwen2", "sp-phi3", "sp-yi", "sp-metaspace", "glm-tiktoken"
    };

    @TempDir
    Path folder;

    /// DJL's own default cuts at 512 tokens.
    @Test
    void readsLongTextsWhole() {
        String text = "The quick brown fox, 12345 times.\n".repeat(5000);
        for (String kind : KINDS) {
            try (Tokenizer tokenizer = Tokenizers.open(GoldenLines.root().resolve(kind))) {
                int[] ids = tokenizer.encode(text, false);
                assertThat(ids.length).as(kind).isGreaterThan(20_000);
                assertThat(tokenizer.decode(ids, false)).as(kind).isEqualTo(text);
            }
        }
    }

    @Test
    void heedsNoTruncationOrPaddingOfTheFile() throws IOException {
        Path source = GoldenLines.root().resolve("bbpe-llama3/tokenizer.json");
        String json = Files.readString(source)
                .replaceFirst(
                        "\"truncation\": ?null",
                        "\"truncation\":{\"direction\":\"Right\",\"max_length\":4,"
                                + "\"strategy\":\"LongestFirst\",\"stride\":0}")
                .replaceFirst(
                        "\"padding\": ?null",
                        "\"padding\":{\"strategy\":{\"Fixed\":9},\"direction\":\"Right\",\"pad_to_multiple_of\":null,"
                                + "\"pad_id\":0,\"pad_type_id\":0,\"pad_token\":\"!\"}");
        assertThat(json).contains("\"max_length\":4").contains("\"Fixed\":9");
        Files.writeString(folder.resolve("tokenizer.json"), json);
        try (Tokenizer changed = Tokenizers.open(folder);
                Tokenizer original = Tokenizers.open(source.getParent())) {
            for (String text : List.of("a", "one two three four five six seven eight nine ten eleven twelve")) {
                assertThat(changed.encode(text, true)).isEqualTo(original.encode(text, true));
            }
        }
    }

    @Test
    void readsTheBundledModelsTokenizer() {
        try (Tokenizer tokenizer = Tokenizers.open(Fixtures.needleModel())) {
            int begin = tokenizer.id("<|begin_of_text|>").orElseThrow();
            String text = "In the beginning God created the heaven and the earth. 1234567\n";
            assertThat(tokenizer.encode("<|begin_of_text|>" + text, false)).startsWith(begin);
            assertThat(tokenizer.decode(tokenizer.encode(text, false), false)).isEqualTo(text);
            String prompt = ChatTemplate.open(Fixtures.needleModel())
                    .orElseThrow()
                    .render(List.of(new ChatMessage("user", "Where is it?")), true);
            assertThat(prompt)
                    .isEqualTo("<|begin_of_text|><|start_header_id|>system<|end_header_id|>"
                            + "You are a helpful assistant<|eot_id|><|start_header_id|>user<|end_header_id|>Where is it?"
                            + "<|eot_id|><|start_header_id|>assistant<|end_header_id|>");
        }
    }

    @Test
    void spellingsOfSpecialTokensCanBeText() {
        for (String kind : KINDS) {
            try (Tokenizer tokenizer = Tokenizers.open(GoldenLines.root().resolve(kind))) {
                for (int id = 0; id < tokenizer.vocabularySize(); id++) {
                    String token = tokenizer.token(id);
                    if (token != null && tokenizer.isSpecial(id)) {
                        assertThat(tokenizer.id(token)).hasValue(id);
                        assertThat(tokenizer.encode("a" + token + "b", false))
                                .as(kind + token)
                                .contains(id);
                        assertThat(tokenizer.encodeAsText("a" + token + "b"))
                                .as(kind + token)
                                .doesNotContain(id);
                        assertThat(tokenizer.decode(tokenizer.encodeAsText("a" + token), true))
                                .isEqualTo("a" + token);
                    }
                }
                assertThat(tokenizer.vocabularySize()).as(kind).isGreaterThan(1000);
                assertThat(tokenizer.token(tokenizer.vocabularySize())).isNull();
                assertThat(tokenizer.id("no such token")).isEmpty();
            }
        }
    }

    /// In one text a spelling is a token here and text there.
    @Test
    void literalsAreTextNextToMarks() {
        for (String kind : KINDS) {
            try (Tokenizer tokenizer = Tokenizers.open(GoldenLines.root().resolve(kind))) {
                for (String token : tokenizer.specialTokens().spellings()) {
                    int id = tokenizer.id(token).orElseThrow();
                    MarkedText literal = MarkedText.literal("a" + token + "b", tokenizer.specialTokens());
                    assertThat(tokenizer.encode(literal))
                            .as(kind + token)
                            .containsExactly(tokenizer.encodeAsText("a" + token + "b"));
                    MarkedText both = MarkedText.of(token).followedBy(literal).followedBy(token + token);
                    int[] ids = tokenizer.encode(both);
                    assertThat(IntStream.of(ids).filter(one -> one == id).count())
                            .as(kind + token)
                            .isEqualTo(3);
                    assertThat(tokenizer.decode(ids, false)).contains("a" + token + "b");
                    assertThat(tokenizer.encode(both.from(token.length())))
                            .as("cut behind the first")
                            .endsWith(id, id)
                            .isEqualTo(tokenizer.encode(literal.followedBy(token + token)));
                }
            }
        }
    }

    /// Yi's separator is an added token that is not special: it keeps its id where special ones are blinded.
    @Test
    void addedTokensThatAreNotSpecialAreAlwaysRecognised() {
        try (Tokenizer tokenizer = Tokenizers.open(GoldenLines.root().resolve("sp-yi"))) {
            assertThat(tokenizer.encodeAsText("<|im_sep|>")).containsExactly(1504);
            assertThat(tokenizer.encode("<|im_sep|>", false)).containsExactly(1504);
        }
    }

    @Test
    void loneSurrogatesAndUnknownIdsDoNoHarm() {
        for (String kind : KINDS) {
            try (Tokenizer tokenizer = Tokenizers.open(GoldenLines.root().resolve(kind))) {
                assertThat(tokenizer.encode("a\ud83dz", false)).isEqualTo(tokenizer.encode("a\ufffdz", false));
                assertThat(tokenizer.encodeAsText("\ude00\0")).isEqualTo(tokenizer.encodeAsText("\ufffd\0"));
                int[] ids = {5_000_000, tokenizer.encode("x", false)[0], Integer.MAX_VALUE};
                int[] known = {ids[1]};
                assertThat(tokenizer.decode(ids, false)).isEqualTo(tokenizer.decode(known, false));
                assertThat(tokenizer.detokenizer(false).push(5_000_000)).isEmpty();
                assertThatThrownBy(() -> tokenizer.decode(new int[] {-1}, false))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("-1");
            }
        }
    }

    @Test
    void manyThreadsMayUseOne() throws Exception {
        try (Tokenizer tokenizer = Tokenizers.open(GoldenLines.root().resolve("sp-phi3"));
                var threads = Executors.newFixedThreadPool(4)) {
            int[] expected = tokenizer.encode("shared between threads 123", true);
            Callable<int[]> task = () -> tokenizer.encode("shared between threads 123", true);
            for (var result : threads.invokeAll(Collections.nCopies(200, task))) {
                assertThat(result.get()).isEqualTo(expected);
            }
        }
    }

    @Test
    void saysThatItIsClosed() {
        Tokenizer tokenizer = Tokenizers.open(GoldenLines.root().resolve("bbpe-qwen2"));
        tokenizer.close();
        tokenizer.close();
        assertThatThrownBy(() -> tokenizer.encode("a", false))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
    }

    @Test
    void saysWhatAFolderLacks() {
        assertThatThrownBy(() -> Tokenizers.open(folder))
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining(folder.toString())
                .hasMessageContaining("neither tokenizer.json nor tokenizer.model")
                .hasMessageContaining("save_pretrained");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "[]",
                "{}",
                "{\"model\":{\"vocab\":{}}}",
                "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":-1},\"merges\":[]}}",
                "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":4000000000},\"merges\":[]}}",
                "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[\"a b\"]}}",
                "{\"model\":{\"type\":\"Nothing\",\"vocab\":{\"a\":0}}}",
                "{\"model\":{\"vocab\":\"a\"}}",
                // The library would end the JVM on these.
                "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2},\"merges\":[\"a b\"],"
                        + "\"continuing_subword_prefix\":\"##\"}}",
                "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[]},\"post_processor\":{\"type\":"
                        + "\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"x\",\"type_id\":0}}],"
                        + "\"pair\":[],\"special_tokens\":{}}}",
                "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[]},\"normalizer\":"
                        + "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Precompiled\"}]}}",
            })
    void namesAMalformedTokenizerJson(String json) throws IOException {
        Path file = Files.writeString(folder.resolve("tokenizer.json"), json);
        assertThatThrownBy(() -> Tokenizers.open(folder))
                .isInstanceOf(TokenizerException.class)
                .hasMessageStartingWith(file.toString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "IQ== 0\nIQ== 1\n",
                "IQ== 0\nIg== 0\n",
                "IQ== 0\nIg==\n",
                "IQ== 0\n*** 1\n",
                "IQ== 0\nIg== -1\n",
                "IQ== 0\nIg== 99999999999\n",
                "IQ== 0\nIg== 1\n",
            })
    void namesAMalformedRankFile(String ranks) throws IOException {
        Path file = Files.writeString(folder.resolve("tokenizer.model"), ranks);
        assertThatThrownBy(() -> Tokenizers.open(folder))
                .isInstanceOf(TokenizerException.class)
                .hasMessageStartingWith(file.toString());
    }

    @Test
    void namesARankFileWithoutItsSpecialTokens() throws IOException {
        Path golden = GoldenLines.root().resolve("glm-tiktoken");
        Files.copy(golden.resolve("tokenizer.model"), folder.resolve("tokenizer.model"));
        assertThatThrownBy(() -> Tokenizers.open(folder))
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining("added_tokens_decoder");
        Files.writeString(
                folder.resolve("tokenizer_config.json"), "{\"added_tokens_decoder\":{\"7\":{\"content\":\"<a>\"}}}");
        assertThatThrownBy(() -> Tokenizers.open(folder))
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining("\"<a>\" has id 7");
        Files.writeString(
                folder.resolve("tokenizer_config.json"), "{\"added_tokens_decoder\":{\"x\":{\"content\":\"<a>\"}}}");
        assertThatThrownBy(() -> Tokenizers.open(folder))
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining("the entry \"x\"");
    }

    @Test
    void saysWhatToDoWhereTheNativeCodeCannotBeUnpacked() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "no folder");
        assertThat(NativeLibrary.load(file.resolve("below")))
                .contains("cannot unpack it to")
                .contains("below");
    }

    /// The outcome is kept for the life of the JVM, so one interrupted thread must not spoil it.
    @Test
    void anInterruptedThreadUnpacksTheNativeCode() {
        Thread.currentThread().interrupt();
        try {
            assertThat(NativeLibrary.load(folder.resolve("native"))).isNull();
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
        } finally {
            Thread.interrupted();
        }
    }
}
