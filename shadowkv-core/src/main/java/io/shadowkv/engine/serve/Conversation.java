package io.shadowkv.engine.serve;

import io.shadowkv.cache.SequenceCache;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.batch.Sequence;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/// A sequence that keeps its cache between turns, so that nothing is read twice. A later turn attends
/// to all tokens before it: under ShadowKV to the keys of their low-rank form. A turn of fewer than 16
/// tokens is decoded under the strategy. The first turn that outgrows the budget of ShadowKV reads
/// the whole conversation again, to index it.
///
/// Used by one thread at a time: a call from a second thread is refused. Holds its memory until it
/// or its engine is closed.
public final class Conversation implements AutoCloseable {
    private final Requests requests;
    private final int capacity;
    private @Nullable SequenceCache cache;
    private int[] ids = new int[0];
    private boolean isClosed;
    private final AtomicBoolean isBusy = new AtomicBoolean();

    Conversation(Requests requests, int capacity) {
        this.requests = requests;
        this.capacity = capacity;
    }

    /// Adds a turn and generates the answer.
    ///
    /// After an exception, including one thrown by a listener, the conversation is as it was before
    /// the turn. If the turn had begun, the next one reads all tokens again.
    ///
    /// @param turn the request; its prompt ids are the new tokens only
    /// @throws io.shadowkv.engine.ContextLengthException if the turn and its answer exceed the capacity
    /// @throws IllegalStateException if the conversation or its engine is closed, or a turn is
    ///     running on another thread
    public Completion send(Request turn) {
        enter("send");
        try {
            return answer(turn);
        } finally {
            isBusy.set(false);
        }
    }

    private void enter(String what) {
        if (!isBusy.compareAndSet(false, true)) {
            throw new IllegalStateException(
                    what + " was called while another turn of this conversation runs; a conversation takes one turn at"
                            + " a time. Wait for the turn, or open a conversation for each thread");
        }
    }

    private Completion answer(Request turn) {
        requests.checkAvailable();
        if (isClosed) {
            throw new IllegalStateException("the conversation is closed");
        }
        Sequence[] started = new Sequence[1];
        try {
            Completion completion = requests.turn(turn, ids, capacity, cache, sequence -> started[0] = sequence);
            cache = started[0].cache();
            ids = started[0].ids();
            return completion;
        } catch (RuntimeException | Error e) {
            // The cache contains tokens of the failed turn, which cannot be removed.
            if (started[0] != null) {
                cache = started[0].cache() == null ? cache : started[0].cache();
                drop();
            }
            throw e;
        }
    }

    /// All tokens so far, of prompts and answers.
    public int[] ids() {
        return Arrays.copyOf(ids, ids.length);
    }

    /// Number of tokens so far.
    public int length() {
        return ids.length;
    }

    public int capacity() {
        return capacity;
    }

    /// Frees the conversation's memory.
    ///
    /// @throws IllegalStateException if a turn is running
    @Override
    public void close() {
        enter("close");
        try {
            isClosed = true;
            drop();
        } finally {
            isBusy.set(false);
        }
    }

    private void drop() {
        SequenceCache held = cache;
        cache = null;
        if (held != null) {
            requests.free(held);
        }
    }
}
