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

/// Turns questions into token ids: the chat template around the user's message, followed by the
/// beginning of the answer. Inside a template, the spelling of a special token in the user's
/// message is plain text.
public interface PromptFormat {
    /// Selects the model's own format.
    String AUTO = "auto";

    /// The user's message with the text before and after it in a first turn, up to where the answer
    /// begins.
    String wrap(String user);

    /// False if the format adds no text around the user's message, as for a model that only
    /// continues text.
    default boolean wrapsWords() {
        return !wrap("words").equals("words");
    }

    /// Encodes a whole prompt that already has its template.
    int[] encode(String wrapped);

    /// Encodes a text that has no template ([Sample.Wrapping#NONE]), with the model's beginning
    /// tokens in front if they are missing.
    default int[] encodeWhole(String text) {
        return encode(text);
    }

    /// Encodes the first turn, with the beginning of the sequence.
    default int[] first(String user, String answerPrefix) {
        return encode(wrap(user) + answerPrefix);
    }

    /// Encodes a later turn: everything after the text of the previous answer, including the end of
    /// that answer. If the model generated this end itself, the first id repeats its last one.
    int[] next(String user, String answerPrefix);

    /// Encodes any turn; a later one without the id that the model has already generated.
    ///
    /// @param lastId the last id of the sequence so far, -1 before the first turn
    default int[] turn(Sample.Turn turn, int lastId) {
        if (lastId < 0) {
            return first(turn.user(), turn.answerPrefix());
        }
        int[] ids = next(turn.user(), turn.answerPrefix());
        return ids.length > 1 && ids[0] == lastId ? Arrays.copyOfRange(ids, 1, ids.length) : ids;
    }

    /// Returns a model's format.
    ///
    /// @param name `auto` for the model's chat template, or plain continuation if it has none;
    ///     otherwise a name known to [#named]
    /// @param template the model's chat template
    /// @throws IllegalArgumentException if the name is unknown
    static PromptFormat of(String name, Optional<ChatTemplate> template, Tokenizer tokenizer) {
        if (!name.equals(AUTO)) {
            return named(name, tokenizer);
        }
        return template.map(own -> chat(own, tokenizer)).orElseGet(() -> plain(tokenizer));
    }

    /// The model's chat template if it has one, otherwise plain continuation.
    static PromptFormat of(Engine engine) {
        return engine.hasChatTemplate() ? chat(engine.chatTemplate(), engine.tokenizer()) : plain(engine.tokenizer());
    }

    /// A format for models that only continue text.
    static PromptFormat plain(Tokenizer tokenizer) {
        var beginning = new BeginningTokens(tokenizer);
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

    /// One of the paper's templates, for comparison with the paper, independent of the model's own.
    ///
    /// @param name one of [ModelTemplate#names()]
    /// @throws IllegalArgumentException if the name is unknown
    static PromptFormat named(String name, Tokenizer tokenizer) {
        return new NamedFormat(ModelTemplate.named(name), tokenizer);
    }

    /// A format for models with a chat template.
    static PromptFormat chat(ChatTemplate template, Tokenizer tokenizer) {
        var beginning = new BeginningTokens(tokenizer);
        return new PromptFormat() {
            // A word that templates do not change, to find where the end of an answer begins.
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
                            "the chat template changes earlier turns when a later one is added, so a second question"
                                    + " cannot continue the sequence in the cache. Use tasks with one question for each text");
                }
                return tokenizer.encode(all.from(end).followedBy(answerPrefix));
            }
        };
    }
}
