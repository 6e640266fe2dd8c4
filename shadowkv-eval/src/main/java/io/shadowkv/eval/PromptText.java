package io.shadowkv.eval;

import io.shadowkv.text.Tokenizer;
import java.util.Arrays;

/// Encodes a sample's turns.
///
/// @param wrapping whether the texts get a chat template
/// @param format the run's format, for texts with a template
/// @param tokenizer for texts without one
public record PromptText(Sample.Wrapping wrapping, PromptFormat format, Tokenizer tokenizer) {
    public int[] first(Sample.Turn turn) {
        return first(turn.user(), turn.answerPrefix());
    }

    /// Encodes a prompt of the first turn's text directly followed by another turn's.
    public int[] first(Sample.Turn context, Sample.Turn turn) {
        return first(context.user() + turn.user(), turn.answerPrefix());
    }

    private int[] first(String user, String answerPrefix) {
        return switch (wrapping) {
            case CHAT -> format.first(user, answerPrefix);
            case NONE -> format.encodeWhole(user + answerPrefix);
        };
    }

    /// Encodes an answer that is part of the prompt.
    public int[] given(String answer) {
        return tokenizer.encode(answer, false);
    }

    /// Encodes a later turn.
    ///
    /// @param lastId the last id so far, which is not repeated; -1 to only count tokens
    public int[] next(Sample.Turn turn, int lastId) {
        int[] ids = switch (wrapping) {
            case CHAT -> format.next(turn.user(), turn.answerPrefix());
            case NONE -> tokenizer.encode(turn.user() + turn.answerPrefix(), false);
        };
        return ids.length > 1 && ids[0] == lastId ? Arrays.copyOfRange(ids, 1, ids.length) : ids;
    }
}
