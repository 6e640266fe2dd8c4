package io.shadowkv.eval.niah;

import io.shadowkv.text.Tokenizer;
import java.util.HashSet;
import java.util.Set;

/// Inserts a sentence into a text at a position counted in tokens (bytedance/ShadowKV,
/// `data/utils.py`, `insert_needle_func`).
final class NeedleInsertion {
    /// Tokens of the length that the paper reserves for question and answer.
    static final int BUFFER = 32;

    private final Tokenizer tokenizer;
    private final Set<Integer> sentenceEnds = new HashSet<>();

    NeedleInsertion(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
        for (String end : new String[] {".", ". \n", ".\n", "\n"}) {
            int[] ids = tokenizer.encode(end, false);
            // The paper looks only at the first token. If a tokenizer puts a space token before any
            // text, the first token is that space and does not end a sentence; therefore the last
            // token counts too.
            sentenceEnds.add(ids[0]);
            sentenceEnds.add(ids[ids.length - 1]);
        }
    }

    /// Returns the text with the needle.
    ///
    /// @param contextTokens length of the result including `buffer`; a longer text is cut at its
    ///     end
    /// @param depth percent of the tokens before the needle. From there the needle moves back to
    ///     the position after a full stop or a line break, or to the beginning if there is none. At
    ///     100 it is at the very end
    String insert(String needle, String text, int depth, int contextTokens, int buffer) {
        int[] hidden = tokenizer.encode(needle, false);
        int[] around = tokenizer.encode(text, false);
        int room = contextTokens - buffer - hidden.length;
        int length = Math.min(around.length, Math.max(0, room));
        int before = length;
        if (depth != 100) {
            before = (int) (length * (depth / 100.0));
            while (before > 0 && !sentenceEnds.contains(around[before - 1])) {
                before--;
            }
        }
        int[] all = new int[length + hidden.length];
        System.arraycopy(around, 0, all, 0, before);
        System.arraycopy(hidden, 0, all, before, hidden.length);
        System.arraycopy(around, before, all, before + hidden.length, length - before);
        return tokenizer.decode(all, true);
    }
}
