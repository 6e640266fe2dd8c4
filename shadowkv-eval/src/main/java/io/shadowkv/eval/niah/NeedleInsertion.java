package io.shadowkv.eval.niah;

import io.shadowkv.text.Tokenizer;
import java.util.HashSet;
import java.util.Set;

/// Hides a sentence in a text, counted in tokens (bytedance/ShadowKV, `data/utils.py`,
/// `insert_needle_func`).
final class NeedleInsertion {
    /// Tokens of the length that the paper leaves to question and answer.
    static final int BUFFER = 32;

    private final Tokenizer tokenizer;
    private final Set<Integer> sentenceEnds = new HashSet<>();

    NeedleInsertion(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
        for (String end : new String[] {".", ". \n", ".\n", "\n"}) {
            int[] ids = tokenizer.encode(end, false);
            // The paper looks at the first only. Where a tokenizer puts a blank before any text, that is the blank,
            // and no sentence ends; so the last one counts too.
            sentenceEnds.add(ids[0]);
            sentenceEnds.add(ids[ids.length - 1]);
        }
    }

    /// The text with the needle in it.
    ///
    /// @param contextTokens length of the result together with `buffer`; a longer text is cut at its end
    /// @param depth per cent of the tokens before the needle; it moves back from there to behind a full
    ///     stop or a line break, to the beginning if there is none. At 100 it stands at the very end
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
