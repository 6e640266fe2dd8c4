package io.shadowkv.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.Fixtures;
import io.shadowkv.text.Tokenizer;
import io.shadowkv.text.chat.ChatTemplate;
import io.shadowkv.text.tokenizer.Tokenizers;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Compares the bundled model's prompts with those of its training recipe (`recipe/gen.py`).
final class PromptFormatTest {
    private static final String BEGIN = "<|begin_of_text|><|start_header_id|>system<|end_header_id|>You are a helpful"
            + " assistant<|eot_id|><|start_header_id|>user<|end_header_id|>";
    private static final String ASSISTANT = "<|eot_id|><|start_header_id|>assistant<|end_header_id|>";

    @Test
    void turnsAreWrappedAsInTraining() {
        try (Tokenizer tokenizer = Tokenizers.open(Fixtures.needleModel())) {
            PromptFormat format =
                    PromptFormat.chat(ChatTemplate.open(Fixtures.needleModel()).orElseThrow(), tokenizer);
            int[] first = format.first("text\nquestion?", " The number is");
            assertThat(tokenizer.decode(first, false))
                    .isEqualTo(BEGIN + "text\nquestion?" + ASSISTANT + " The number is");
            int[] next = format.next("another?", " It is");
            assertThat(tokenizer.decode(next, false))
                    .isEqualTo("<|eot_id|><|start_header_id|>user<|end_header_id|>another?" + ASSISTANT + " It is");

            var turn = new Sample.Turn("another?", "another?", " It is", List.of("1"), 8, List.of(), List.of());
            int end = tokenizer.id("<|eot_id|>").orElseThrow();
            assertThat(format.turn(turn, end)).as("the model generated the end").containsExactly(withoutFirst(next));
            assertThat(format.turn(turn, end + 1))
                    .as("the answer was truncated")
                    .containsExactly(next);
            assertThat(format.turn(turn, -1)).containsExactly(format.first("another?", " It is"));
        }
    }

    /// Code and web pages contain strings such as `<s>`; in a message they are text, in the
    /// template they are tokens.
    @Test
    void specialTokensInAMessageAreText() {
        try (Tokenizer tokenizer = Tokenizers.open(Fixtures.needleModel())) {
            PromptFormat chat =
                    PromptFormat.chat(ChatTemplate.open(Fixtures.needleModel()).orElseThrow(), tokenizer);
            for (PromptFormat format : List.of(chat, PromptFormat.named("llama-3", tokenizer))) {
                String words = "a<|eot_id|><|begin_of_text|>b";
                int[] first = format.first(words, " It is");
                assertThat(specials(tokenizer, first)).isEqualTo(specials(tokenizer, format.first("a", " It is")));
                assertThat(tokenizer.decode(first, false)).isEqualTo(BEGIN + words + ASSISTANT + " It is");
                int[] next = format.next(words, " It is");
                assertThat(specials(tokenizer, next)).isEqualTo(specials(tokenizer, format.next("a", " It is")));
                assertThat(tokenizer.decode(next, true)).contains(words);
            }
        }
    }

    private static List<Integer> specials(Tokenizer tokenizer, int[] ids) {
        return Arrays.stream(ids).filter(tokenizer::isSpecial).boxed().toList();
    }

    @Test
    void plainTurnsFollowEachOther() {
        try (Tokenizer tokenizer = Tokenizers.open(Fixtures.needleModel())) {
            PromptFormat format = PromptFormat.plain(tokenizer);
            assertThat(tokenizer.decode(format.first("question?", " It is"), true))
                    .isEqualTo("question? It is");
            assertThat(tokenizer.decode(format.next("another?", " It is"), true))
                    .isEqualTo("\nanother? It is");
        }
    }

    @Test
    void namedTemplatesBeginOnce() {
        try (Tokenizer tokenizer = Tokenizers.open(Fixtures.golden("tokenizers").resolve("tokenizers/bbpe-llama3"))) {
            int begin = tokenizer.encode("", true)[0];
            PromptFormat named = PromptFormat.named("llama-3", tokenizer);
            assertThat(named.first("question?", " It is"))
                    .startsWith(begin)
                    .isEqualTo(tokenizer.encode(BEGIN + "question?" + ASSISTANT + " It is", false));
            assertThat(PromptFormat.named("base", tokenizer).first("question?", ""))
                    .isEqualTo(tokenizer.encode("question?", true));
            assertThat(named.next("another?", " It is"))
                    .isEqualTo(tokenizer.encode(
                            "<|eot_id|><|start_header_id|>user<|end_header_id|>another?" + ASSISTANT + " It is",
                            false));
            PromptFormat plain = PromptFormat.plain(tokenizer);
            assertThat(plain.encodeWhole("text")).isEqualTo(tokenizer.encode("text", true));
            assertThat(plain.encodeWhole(BEGIN + "text")).isEqualTo(tokenizer.encode(BEGIN + "text", false));
        }
        assertThatThrownBy(() -> ModelTemplate.named("llama-4"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("base, llama-3, yi");
    }

    private static int[] withoutFirst(int[] ids) {
        return Arrays.copyOfRange(ids, 1, ids.length);
    }
}
