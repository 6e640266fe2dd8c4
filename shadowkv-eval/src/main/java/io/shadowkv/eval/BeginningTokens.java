package io.shadowkv.eval;

import io.shadowkv.text.MarkedText;
import io.shadowkv.text.Tokenizer;
import java.util.Arrays;

/// Puts the tokens that a model's sequences begin with (`<s>`, `[gMASK]<sop>` …) before a text that
/// lacks them.
final class BeginningTokens {
    private final Tokenizer tokenizer;
    private final int[] added;

    BeginningTokens(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
        added = tokenizer.beginning();
    }

    /// Returns the ids of the text with exactly one beginning: a text whose first token is already
    /// the beginning's first token stays as it is.
    int[] encode(String text) {
        return encode(MarkedText.of(text));
    }

    int[] encode(MarkedText text) {
        int[] ids = tokenizer.encode(text);
        if (added.length == 0 || ids.length > 0 && ids[0] == added[0]) {
            return ids;
        }
        int[] all = Arrays.copyOf(added, added.length + ids.length);
        System.arraycopy(ids, 0, all, added.length, ids.length);
        return all;
    }
}
