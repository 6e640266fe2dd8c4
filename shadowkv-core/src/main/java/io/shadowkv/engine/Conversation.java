package io.shadowkv.engine;

import io.shadowkv.cache.SequenceCache;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// A sequence that stays: the first turn is read by prefill, later ones go through decode, so that nothing is read twice.
///
/// Used by one thread at a time. Holds its memory until closed.
public final class Conversation implements AutoCloseable {
    private final Engine engine;
    private final int capacity;
    private @Nullable SequenceCache cache;
    private int[] ids = new int[0];

    Conversation(Engine engine, int capacity) {
        this.engine = engine;
        this.capacity = capacity;
    }

    /// Takes a turn and answers it.
    ///
    /// @param turn its prompt ids are the new tokens only; what came before is held
    /// @throws ContextLengthException if the turn and its answer exceed the capacity; the conversation is as before
    public Completion send(Request turn) {
        Sequence sequence = engine.turn(turn, ids, capacity, cache);
        cache = sequence.cache();
        ids = sequence.ids();
        return sequence.completion();
    }

    /// All tokens so far, prompts and answers.
    public int[] ids() {
        return Arrays.copyOf(ids, ids.length);
    }

    /// Tokens so far.
    public int length() {
        return ids.length;
    }

    public int capacity() {
        return capacity;
    }

    @Override
    public void close() {
        SequenceCache held = cache;
        if (held != null) {
            held.close();
            cache = null;
        }
    }
}
