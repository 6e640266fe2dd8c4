package io.shadowkv.engine.study;

import io.shadowkv.engine.Completion;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The answers to one dialogue under one strategy.
///
/// @param turns the completion of each turn
/// @param divergence divergence of the first turn from full attention; null for full attention
///     itself, if it was not measured, and if the prompt is context only
/// @param together maximum number of dialogues that were answered together; limited by the memory
public record ComparedAnswers(
        List<Completion> turns, @Nullable Divergence divergence, int together) {
    public ComparedAnswers {
        turns = List.copyOf(turns);
    }
}
