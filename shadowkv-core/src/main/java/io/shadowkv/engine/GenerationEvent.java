package io.shadowkv.engine;

import io.shadowkv.sampling.TokenLogprobs;
import org.jspecify.annotations.Nullable;

/// What happens to a submitted request, in order: readings, tokens, one end.
public sealed interface GenerationEvent {
    /// Part of the prompt was read. If the consumer is slow, it receives the latest of several.
    ///
    /// @param done completed share of the work, from 0 to 1. The cost of attention grows with the
    ///     position, so this is not the share of tokens
    record Reading(double done) implements GenerationEvent {}

    /// A token was generated.
    ///
    /// @param id the token
    /// @param text complete characters that this token added to the text; may be empty
    /// @param logprobs log probabilities; null if they were not requested
    record Token(int id, String text, @Nullable TokenLogprobs logprobs) implements GenerationEvent {}

    /// The sequence ended without a failure. Always the last event.
    record Ended(Completion completion) implements GenerationEvent {}
}
