package io.shadowkv.eval;

import io.shadowkv.engine.serve.Engine;
import io.shadowkv.text.MarkedText;
import io.shadowkv.text.SpecialTokens;
import io.shadowkv.text.Tokenizer;
import io.shadowkv.text.chat.ChatMessage;
import io.shadowkv.text.chat.ChatTemplate;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Turns questions into the token ids that a model reads: its chat template around the user's words, the
/// answer's beginning last. Where a template goes around the words, a special token's spelling in them is text.
public interface PromptFormat {
    /// The model's own way.
    String AUTO = "auto";

    /// The user's words with everything that stands before and after them in a first turn, up to where the
    /// answer begins.
    String wrap(String user);

    /// Whether anything stands around the user's words: nothing does for a model that only continues text.
    default boolean wrapsWords() {
        return !wrap("words").equals("words");
    }

    /// Ids of a whole prompt that carries its wrapping.
    int[] encode(String wrapped);

    /// Ids of a text that brings all it needs ([Sample.Wrapping#NONE]), the model's beginning before it
    /// unless it is there.
    default int[] encodeWhole(String text) {
        return encode(text);
    }

    /// The first turn: everything from the beginning of the sequence.
    default int[] first(String user, String answerPrefix) {
        return encode(wrap(user) + answerPrefix);
    }

    /// A later turn: everything after the words of the answer before, the end of that answer included.
    /// Where the model wrote its end itself, the first id repeats its last one.
    int[] next(String user, String answerPrefix);

    /// The turn's ids; those of a later turn without the id that the model has written already.
    ///
    /// @param lastId the last id of the sequence so far, -1 before the first turn
    default int[] turn(Sample.Turn turn, int lastId) {
        if (lastId < 0) {
            return first(turn.user(), turn.answerPrefix());
        }
        int[] ids = next(turn.user(), turn.answerPrefix());
        return ids.length > 1 && ids[0] == lastId ? Arrays.copyOfRange(ids, 1, ids.length) : ids;
    }

    /// What a model is asked in.
    ///
    /// @param name `auto` for the model's chat template, or its plain continuation where it has none; else
    ///     one that [#named] knows
    /// @param template the model's
    /// @throws IllegalArgumentException if there is none of the name
    static PromptFormat of(String name, Optional<ChatTemplate> template, Tokenizer tokenizer) {
        if (!name.equals(AUTO)) {
            return named(name, tokenizer);
        }
        return template.map(own -> chat(own, tokenizer)).orElseGet(() -> plain(tokenizer));
    }

    /// The model's chat template where it has one, else its plain continuation.
    static PromptFormat of(Engine engine) {
        return engine.hasChatTemplate() ? chat(engine.chatTemplate(), engine.tokenizer()) : plain(engine.tokenizer());
    }

    /// For models that only continue text.
    static PromptFormat plain(Tokenizer tokenizer) {
        var beginning = new Beginning(tokenizer);
        return new PromptFormat() {
            @Override
            public String wrap(String user) {
                return user;
            }

            @Override
            public int[] encode(String wrapped) {
                return beginning.encode(wrapped);
            }

            @Override
            public int[] next(String user, String answerPrefix) {
                return tokenizer.encode("\n" + user + answerPrefix, false);
            }
        };
    }

    /// For comparison with the paper: one of its wrappers, whatever the model's own.
    ///
    /// @param name one of [ModelTemplate#names()]
    /// @throws IllegalArgumentException if there is none of the name
    static PromptFormat named(String name, Tokenizer tokenizer) {
        return new NamedFormat(ModelTemplate.named(name), tokenizer);
    }

    /// For models with a chat template.
    static PromptFormat chat(ChatTemplate template, Tokenizer tokenizer) {
        var beginning = new Beginning(tokenizer);
        return new PromptFormat() {
            // Words that no template changes, to find where the end of an answer begins.
            private static final String ANSWER = "answer";

            private final SpecialTokens specials = tokenizer.specialTokens();

            @Override
            public String wrap(String user) {
                return template.render(List.of(new ChatMessage("user", user)), true);
            }

            @Override
            public int[] first(String user, String answerPrefix) {
                MarkedText prompt = template.prompt(List.of(new ChatMessage("user", user)), true, specials);
                return tokenizer.encode(prompt.followedBy(answerPrefix));
            }

            @Override
            public int[] encode(String wrapped) {
                return tokenizer.encode(wrapped, false);
            }

            @Override
            public int[] encodeWhole(String text) {
                return beginning.encode(text);
            }

            @Override
            public int[] next(String user, String answerPrefix) {
                var question = new ChatMessage("user", "question");
                var answer = new ChatMessage("assistant", ANSWER);
                String earlier = template.render(List.of(question, answer), false);
                MarkedText all =
                        template.prompt(List.of(question, answer, new ChatMessage("user", user)), true, specials);
                int end = earlier.lastIndexOf(ANSWER) + ANSWER.length();
                if (end < ANSWER.length() || !all.text().startsWith(earlier.substring(0, end))) {
                    throw new IllegalArgumentException(
                            "the chat template changes earlier turns when a later one follows, so a second question"
                                    + " cannot be added to what the model holds. Ask one question a text");
                }
                return tokenizer.encode(all.from(end).followedBy(answerPrefix));
            }
        };
    }
}
