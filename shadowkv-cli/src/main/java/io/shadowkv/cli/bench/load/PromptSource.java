package io.shadowkv.cli.bench.load;

import java.util.SplittableRandom;

/// Draws prompts of a given length.
public sealed interface PromptSource {
    /// @param tokens number of tokens; exact for ids, approximate for words
    PromptText draw(SplittableRandom random, int tokens);

    /// Token ids below `vocabularySize`. They need no tokenizer.
    record RandomIds(int vocabularySize) implements PromptSource {
        public RandomIds {
            if (vocabularySize < 1) {
                throw new IllegalArgumentException(
                        "the vocabulary has " + vocabularySize + " tokens; expected 1 or more");
            }
        }

        @Override
        public PromptText draw(SplittableRandom random, int tokens) {
            return new PromptText.Ids(random.ints(tokens, 0, vocabularySize).toArray());
        }
    }

    /// Numbered sentences, so that no two prompts begin alike.
    ///
    /// @param tokensPerSentence mean, measured with the server's tokenizer
    record Sentences(double tokensPerSentence) implements PromptSource {
        private static final int NUMBERS = 90_000;
        private static final int FIRST = 10_000;
        private static final String[] FILLER = {
            "The grass is green.", "The sky is blue.", "The sun is yellow.", "Here we go.", "There and back again."
        };

        public Sentences {
            if (!(tokensPerSentence >= 1)) {
                throw new IllegalArgumentException(
                        "a sentence has " + tokensPerSentence + " tokens; expected 1 or more");
            }
        }

        @Override
        public PromptText draw(SplittableRandom random, int tokens) {
            return new PromptText.Words(text(random, (int) Math.max(1, Math.round(tokens / tokensPerSentence))));
        }

        /// A text of a number of sentences.
        public static String text(SplittableRandom random, int sentences) {
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < sentences; i++) {
                text.append(FIRST + random.nextInt(NUMBERS))
                        .append(": ")
                        .append(FILLER[random.nextInt(FILLER.length)])
                        .append('\n');
            }
            return text.toString();
        }
    }
}
