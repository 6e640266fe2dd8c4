package io.shadowkv.eval;

/// A format whose ids only count: words and single other characters, additive over text as real tokenizers
/// nearly are.
final class CountingFormat implements PromptFormat {
    @Override
    public String wrap(String user) {
        return user;
    }

    @Override
    public int[] encode(String wrapped) {
        return new int[tokens(wrapped)];
    }

    @Override
    public int[] next(String user, String answerPrefix) {
        return new int[tokens("\n" + user + answerPrefix)];
    }

    static int tokens(String text) {
        int count = 0;
        boolean inWord = false;
        for (int i = 0; i < text.length(); i++) {
            boolean isLetter = Character.isLetter(text.charAt(i));
            count += isLetter && inWord || text.charAt(i) == ' ' ? 0 : 1;
            inWord = isLetter;
        }
        return count;
    }
}
