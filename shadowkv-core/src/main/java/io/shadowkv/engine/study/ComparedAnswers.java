package io.shadowkv.engine.study;

import io.shadowkv.engine.Completion;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One dialogue under one strategy.
///
/// @param turns what came of each turn that was asked
/// @param divergence of the first of them from full attention; null for full attention itself, and where it was not
///     measured; nor is it where the prompt is context only
/// @param together dialogues that were answered together, at most; fewer than were asked where the memory holds no
///     more
public record ComparedAnswers(
        List<Completion> turns, @Nullable Divergence divergence, int together) {
    public ComparedAnswers {
        turns = List.copyOf(turns);
    }
}
