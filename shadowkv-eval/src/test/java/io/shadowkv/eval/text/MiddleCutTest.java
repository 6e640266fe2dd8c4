package io.shadowkv.eval.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.eval.Contexts;
import io.shadowkv.eval.PromptFormat;
import io.shadowkv.eval.TaskContext;
import io.shadowkv.eval.TinyTokenizer;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

final class MiddleCutTest {
    // < user > and < / user > < assistant >
    private static final int WRAPPING = 3 + 4 + 3;

    private final TaskContext context = Contexts.chat(100, Path.of("."));
    private final MiddleCut cut = new MiddleCut(context.tokenizer(), context.format());

    @Test
    void whatFitsStays() {
        assertThat(cut.fit("a.b.c", "", WRAPPING + 5, "x")).isEqualTo("a.b.c");
    }

    @Test
    void tokensGoFromTheMiddle() {
        assertThat(cut.fit("a.b.c.d.e", "", WRAPPING + 5, "x")).isEqualTo("a..e");
        assertThat(cut.fit("a.b.c.d.e", "!", WRAPPING + 5, "x")).isEqualTo("a..e");
        assertThat(cut.fit("a.b.c.d.e", "!?", WRAPPING + 5, "x")).isEqualTo("ae");
    }

    @Test
    void noRoomIsAnError() {
        assertThatThrownBy(() -> cut.fit("a.b.c", "", WRAPPING + 1, "suite/x, sample 3"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("suite/x, sample 3 leaves 11 tokens for a prompt of 15");
    }

    @Test
    void tokensAddedByTheCutAreRemoved() {
        var tokenizer = new TinyTokenizer();
        PromptFormat plain = PromptFormat.plain(tokenizer);
        var doublesSeams = new PromptFormat() {
            @Override
            public String wrap(String user) {
                return user.replace("..", "!!!!");
            }

            @Override
            public int[] encode(String wrapped) {
                return plain.encode(wrapped);
            }

            @Override
            public int[] next(String user, String answerPrefix) {
                return plain.next(user, answerPrefix);
            }
        };
        // a..e has five tokens with the beginning, but seven here; so only the ends are kept.
        assertThat(new MiddleCut(tokenizer, doublesSeams).fit("a.b.c.d.e", "", 5, "x"))
                .isEqualTo("ae");
    }
}
