package io.shadowkv.engine.study;

import io.shadowkv.cache.SequenceCache;
import io.shadowkv.engine.PlannedSequence;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.batch.ModelText;
import io.shadowkv.engine.batch.RequestLimits;
import io.shadowkv.engine.batch.Sequence;
import org.jspecify.annotations.Nullable;

/// Makes turns of sequences for a model.
///
/// @param limits what the model can be asked
/// @param text its end ids and tokenizer
public record TurnFactory(RequestLimits limits, ModelText text) {
    /// @param before tokens that the request follows
    /// @param capacity tokens of the dialogue
    /// @throws io.shadowkv.engine.ContextLengthException if no room is left for an answer
    /// @throws IllegalArgumentException if an id is none
    void check(Request request, int before, int capacity) {
        limits.checkLaterTurn(request, before, capacity);
    }

    /// @param history tokens before the turn
    /// @param held cache of those tokens, of the turn's own too where `history` is empty; null if nothing
    ///     was read
    Sequence turn(Request request, int[] history, PlannedSequence planned, @Nullable SequenceCache held) {
        return text.sequence(request, history, planned, held);
    }
}
