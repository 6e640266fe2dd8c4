package io.shadowkv.eval.ruler.text;

import java.util.SplittableRandom;

/// Drafts texts of one task. Immutable; its output depends only on the random stream and on the
/// seed.
public interface Generator {
    /// Number of samples; [Integer#MAX_VALUE] if there is no limit.
    default int samples() {
        return Integer.MAX_VALUE;
    }

    /// Adds the template to its texts and counts them.
    Frame frame();

    /// The size that fills the context, found by the version's search.
    int search(SplittableRandom random);

    /// Drafts a text of the given size.
    ///
    /// @param index number of the sample
    /// @param size number of filler units: words, lines or documents
    Draft draft(int index, int size, SplittableRandom random);

    /// The official `length` of a draft: tokens of the prompt and of the answer's maximum length.
    default int length(Draft draft) {
        return frame().length(draft);
    }

    /// The maximum length of a valid draft.
    default int mostTokens() {
        return frame().maxTokens();
    }

    /// Number of units removed from a text that is too long.
    int step();

    /// Minimum number of units of a text.
    int least();

    /// How often a text that is too long is drawn again before its size is reduced.
    default int redraws() {
        return 0;
    }
}
