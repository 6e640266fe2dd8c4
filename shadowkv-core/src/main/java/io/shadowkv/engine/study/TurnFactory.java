package io.shadowkv.engine.study;

import io.shadowkv.cache.SequenceCache;
import io.shadowkv.engine.PlannedSequence;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.batch.Sequence;
import io.shadowkv.engine.batch.SequenceEvents;
import io.shadowkv.engine.model.LoadedModel;
import org.jspecify.annotations.Nullable;

/// Creates turns of sequences for a model.
record TurnFactory(LoadedModel model) {
    /// @param before number of tokens before the request
    /// @param capacity maximum number of tokens of the dialogue
    /// @throws io.shadowkv.engine.ContextLengthException if there is no room for an answer
    /// @throws IllegalArgumentException if an id is not in the vocabulary
    void check(Request request, int before, int capacity) {
        model.limits().checkLaterTurn(request, before, capacity);
    }

    /// @param history tokens before the turn
    /// @param held cache of these tokens, and also of the turn's tokens if `history` is empty; null
    ///     if nothing was read
    Sequence turn(Request request, int[] history, PlannedSequence planned, @Nullable SequenceCache held) {
        return new Sequence(model.text(), request, history, planned, held, SequenceEvents.to(request.listener()));
    }
}
