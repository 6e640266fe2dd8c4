package io.shadowkv.engine.serve;

import io.shadowkv.cache.SequenceCache;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.batch.Sequence;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A sequence that stays: the first turn is read by prefill, later ones go through decode, so that nothing is
/// read twice.
///
/// Used by one thread at a time. Holds its memory until closed.
public final class Conversation implements AutoCloseable {
    private final Engine engine;
    private final int capacity;
    private @Nullable SequenceCache cache;
    private int[] ids = new int[0];
    private boolean isClosed;

    Conversation(Engine engine, int capacity) {
        this.engine = engine;
        this.capacity = capacity;
    }

    /// Takes a turn and answers it.
    ///
    /// @param turn its prompt ids are the new tokens only; what came before is held An exception, be it a
    ///     listener's, leaves the conversation as it was before the turn. If the turn had begun, the next one
    ///     reads everything again.
    ///
    /// @throws ContextLengthException if the turn and its answer exceed the capacity
    /// @throws IllegalStateException if the conversation or its engine is closed
    public Completion send(Request turn) {
        if (isClosed) {
            throw new IllegalStateException("the conversation is closed");
        }
        Sequence sequence = engine.turn(turn, ids, capacity, cache);
        try {
            engine.run(List.of(sequence));
        } catch (RuntimeException | Error e) {
            // The cache has taken tokens of a turn that never was; they cannot be taken back.
            drop(sequence.cache());
            cache = null;
            throw e;
        }
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
        isClosed = true;
        drop(cache);
        cache = null;
    }

    private static void drop(@Nullable SequenceCache held) {
        if (held != null) {
            held.close();
        }
    }
}
