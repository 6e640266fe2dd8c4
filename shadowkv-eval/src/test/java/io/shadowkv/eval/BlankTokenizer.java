package io.shadowkv.eval;

import io.shadowkv.text.IncrementalDetokenizer;
import io.shadowkv.text.Tokenizer;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/// The tokenizer of RULER's goldens: a token is a run of non-whitespace characters. Only the number
/// of its ids matters.
public final class BlankTokenizer implements Tokenizer {
    @Override
    public int[] encode(String text, boolean addSpecialTokens) {
        int count = 0;
        boolean inToken = false;
        for (int i = 0; i < text.length(); i++) {
            boolean isBlank = Character.isWhitespace(text.charAt(i));
            count += !isBlank && !inToken ? 1 : 0;
            inToken = !isBlank;
        }
        return new int[count];
    }

    @Override
    public int[] encodeAsText(String text) {
        return encode(text, false);
    }

    @Override
    public String decode(int[] ids, boolean skipSpecialTokens) {
        throw new UnsupportedOperationException("this tokenizer cannot decode");
    }

    @Override
    public int vocabularySize() {
        return 1;
    }

    @Override
    public OptionalInt id(String token) {
        return OptionalInt.empty();
    }

    @Override
    public @Nullable String token(int id) {
        return null;
    }

    @Override
    public boolean isSpecial(int id) {
        return false;
    }

    @Override
    public IncrementalDetokenizer detokenizer(boolean skipSpecialTokens) {
        throw new UnsupportedOperationException("this tokenizer cannot decode");
    }

    @Override
    public void close() {}
}
