package io.shadowkv.eval.text;

import io.shadowkv.eval.PromptFormat;
import io.shadowkv.text.Tokenizer;

/// Removes tokens from the middle of prompts that are too long, as InfiniteBench, SCBench and
/// LongBench do: half of the room is kept from each end.
public final class MiddleCut {
    private final Tokenizer tokenizer;
    private final PromptFormat format;

    public MiddleCut(Tokenizer tokenizer, PromptFormat format) {
        this.tokenizer = tokenizer;
        this.format = format;
    }

    /// The user's message, cut so that its first turn has at most `room` tokens.
    ///
    /// @param room tokens of the whole turn, including template and beginning of the answer
    /// @param name name of the sample, for the message
    /// @throws IllegalArgumentException if not even one token of the message fits
    public String fit(String user, String answerPrefix, int room, String name) {
        int length = format.first(user, answerPrefix).length;
        if (length <= room) {
            return user;
        }
        int[] ids = tokenizer.encodeAsText(user);
        int keep = Math.min(ids.length, room - Math.max(0, length - ids.length));
        while (keep >= 2) {
            String cut = tokenizer.decode(middleOut(ids, keep), true);
            int over = format.first(cut, answerPrefix).length - room;
            if (over <= 0) {
                return cut;
            }
            // Text joined at the cut can have more tokens than its two parts.
            keep -= over;
        }
        throw new IllegalArgumentException(
                "%s leaves %,d tokens for a prompt of %,d, which is not enough for any part of it. Give a longer context"
                        .formatted(name, Math.max(0, room), length));
    }

    /// The user's message, cut to a fixed number of tokens as THUDM's scripts do, before a template
    /// is added: if the message with the model's beginning tokens has more, half of that number is
    /// kept from each end.
    ///
    /// @param tokens [Integer#MAX_VALUE] cuts nothing
    public String fixed(String user, int tokens) {
        if (tokens == Integer.MAX_VALUE) {
            return user;
        }
        int[] ids = tokenizer.encodeAsText(user);
        int beginning = tokenizer.encode("", true).length;
        if (ids.length + beginning <= tokens) {
            return user;
        }
        int half = tokens / 2;
        int first = Math.max(0, half - beginning);
        int[] kept = new int[first + half];
        System.arraycopy(ids, 0, kept, 0, first);
        System.arraycopy(ids, ids.length - half, kept, first, half);
        return tokenizer.decode(kept, true);
    }

    private static int[] middleOut(int[] ids, int keep) {
        int half = keep / 2;
        int[] kept = new int[2 * half];
        System.arraycopy(ids, 0, kept, 0, half);
        System.arraycopy(ids, ids.length - half, kept, half, half);
        return kept;
    }
}
