package io.shadowkv.eval;

import io.shadowkv.text.Tokenizer;
import java.util.Arrays;

/// A sample's turns as ids.
///
/// @param wrapping what stands around the words
/// @param format the run's, for those that are wrapped
/// @param tokenizer for those that are not
public record PromptText(Sample.Wrapping wrapping, PromptFormat format, Tokenizer tokenizer) {
    public int[] first(Sample.Turn turn) {
        return first(turn.user(), turn.answerPrefix());
    }

    /// A prompt of the first turn's words and another's directly after them.
    public int[] first(Sample.Turn context, Sample.Turn turn) {
        return first(context.user() + turn.user(), turn.answerPrefix());
    }

    private int[] first(String user, String answerPrefix) {
        return switch (wrapping) {
            case CHAT -> format.first(user, answerPrefix);
            case NONE -> format.encodeWhole(user + answerPrefix);
        };
    }

    /// Ids of an answer that is given.
    public int[] given(String answer) {
        return tokenizer.encode(answer, false);
    }

    /// A later turn's ids.
    ///
    /// @param lastId the last id so far, which is not repeated; -1 to count
    public int[] next(Sample.Turn turn, int lastId) {
        int[] ids = switch (wrapping) {
            case CHAT -> format.next(turn.user(), turn.answerPrefix());
            case NONE -> tokenizer.encode(turn.user() + turn.answerPrefix(), false);
        };
        return ids.length > 1 && ids[0] == lastId ? Arrays.copyOfRange(ids, 1, ids.length) : ids;
    }
}
