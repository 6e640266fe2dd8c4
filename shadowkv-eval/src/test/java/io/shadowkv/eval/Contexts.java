package io.shadowkv.eval;

import io.shadowkv.text.Tokenizer;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// Task contexts for tests.
public final class Contexts {
    private Contexts() {}

    /// A context for a model that continues text.
    public static TaskContext plain(int contextTokens, Path dataFolder) {
        var tokenizer = new TinyTokenizer();
        return context(tokenizer, PromptFormat.plain(tokenizer), contextTokens, dataFolder, null);
    }

    /// A context for a chat model, with the template of the fixtures.
    public static TaskContext chat(int contextTokens, Path dataFolder) {
        var tokenizer = new TinyTokenizer();
        return context(tokenizer, new Chat(tokenizer), contextTokens, dataFolder, null);
    }

    public static TaskContext haystack(int contextTokens, @Nullable Path haystack) {
        var tokenizer = new TinyTokenizer();
        return context(tokenizer, PromptFormat.plain(tokenizer), contextTokens, Path.of("nowhere"), haystack);
    }

    private static TaskContext context(
            Tokenizer tokenizer, PromptFormat format, int contextTokens, Path dataFolder, @Nullable Path haystack) {
        return new TaskContext(
                tokenizer, format, contextTokens, 7, new TaskContext.Options("nvidia", haystack, dataFolder));
    }

    private record Chat(Tokenizer tokenizer) implements PromptFormat {
        @Override
        public String wrap(String user) {
            return "<user>" + user + "</user><assistant>";
        }

        @Override
        public int[] encode(String wrapped) {
            return tokenizer.encode(wrapped, false);
        }

        @Override
        public int[] next(String user, String answerPrefix) {
            return tokenizer.encode("</assistant>" + wrap(user) + answerPrefix, false);
        }
    }
}
