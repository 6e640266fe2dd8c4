package io.shadowkv.eval;

/// Turns questions into what a model reads: its chat template around the user's words, the answer's beginning last.
public interface PromptFormat {
    /// The first turn: everything from the beginning of the sequence.
    String first(String user, String answerPrefix);

    /// A later turn: what follows an answer that the model ended itself.
    String next(String user, String answerPrefix);

    /// For models that only continue text.
    PromptFormat PLAIN = new PromptFormat() {
        @Override
        public String first(String user, String answerPrefix) {
            return user + answerPrefix;
        }

        @Override
        public String next(String user, String answerPrefix) {
            return "\n" + user + answerPrefix;
        }
    };
}
