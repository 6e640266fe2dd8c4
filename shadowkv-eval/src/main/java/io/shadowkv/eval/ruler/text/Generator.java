package io.shadowkv.eval.ruler.text;

import java.util.SplittableRandom;

/// Drafts texts of one task. Immutable; what it draws depends on the stream it is given and on the seed
/// alone.
public interface Generator {
    /// Samples there are; [Integer#MAX_VALUE] if they are made without end.
    default int samples() {
        return Integer.MAX_VALUE;
    }

    /// Wraps and counts its texts.
    Frame frame();

    /// The size that fills the context, by the version's search.
    int search(SplittableRandom random);

    /// A text of a size.
    ///
    /// @param index of the sample
    /// @param size units of filler: words, lines, documents
    Draft draft(int index, int size, SplittableRandom random);

    /// The official `length` of a draft: tokens of the prompt and of the answer's room.
    default int length(Draft draft) {
        return frame().length(draft);
    }

    /// A draft is kept if its length is at most this.
    default int mostTokens() {
        return frame().maxTokens();
    }

    /// Units taken off a text that is too long.
    int step();

    /// Units without which there is no text.
    int least();

    /// How often a text that is too long is drawn again before it shrinks.
    default int redraws() {
        return 0;
    }
}
