package io.shadowkv.cache.shadow;

import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Buffers for a prompt's keys and values in the layer that prefill computes. A backend with a side
/// queue uses two sets alternately, so that one layer is indexed while the next one is computed;
/// other backends use one.
final class PromptLayers {
    private final List<Set> sets = new ArrayList<>();
    private int current;

    PromptLayers(ShadowLayout layout, Backend backend, MemoryScope scope, int tokens) {
        var shape = layout.shape();
        for (int i = 0; i < count(backend); i++) {
            sets.add(new Set(
                    scope.allocate(shape.kvType(), shape.kvHeads(), tokens, shape.headDim()),
                    scope.allocate(shape.kvType(), shape.kvHeads(), tokens, shape.headDim())));
        }
    }

    static int count(Backend backend) {
        return backend.hasSideQueue() ? 2 : 1;
    }

    /// Number of sets.
    int size() {
        return sets.size();
    }

    /// The set of a layer.
    Set set(int layer) {
        return sets.get(layer % sets.size());
    }

    /// Returns the set to fill. What is enqueued on the main queue from now on runs after
    /// everything that read the set.
    Set writable() {
        Set set = sets.get(current);
        set.join();
        return set;
    }

    /// The set being filled.
    Set current() {
        return sets.get(current);
    }

    /// Advances to the next set; `reader` is the work that reads the set just filled.
    void next(Backend.Ticket reader) {
        sets.get(current).usedBy(reader);
        current = (current + 1) % sets.size();
    }

    /// Waits for all readers, even if some of them fail.
    ///
    /// @throws RuntimeException the first failure, after waiting for all readers
    void joinAll() {
        RuntimeException failure = null;
        for (Set set : sets) {
            try {
                set.join();
            } catch (RuntimeException e) {
                failure = failure == null ? e : failure;
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    /// Waits for all readers, without their failures: a caller that closes without sealing either has
    /// an exception of its own or has cancelled.
    void abandon() {
        try {
            joinAll();
        } catch (RuntimeException e) {
            // See above.
        }
    }

    /// Keys and values of one layer; row t belongs to token t.
    static final class Set {
        private final Tensor keys;
        private final Tensor values;
        private Backend.@Nullable Ticket reader;

        Set(Tensor keys, Tensor values) {
            this.keys = keys;
            this.values = values;
        }

        /// Rotated keys, `[kvHeads, promptTokens, headDim]`.
        Tensor keys() {
            return keys;
        }

        /// `[kvHeads, promptTokens, headDim]`.
        Tensor values() {
            return values;
        }

        /// Keys and values.
        AttendedRows rows() {
            return new AttendedRows(keys, values);
        }

        /// Work on the side queue uses the set.
        void usedBy(Backend.Ticket work) {
            reader = work;
        }

        /// What is enqueued on the main queue from now on runs after the work that uses the set.
        void join() {
            Backend.Ticket ticket = reader;
            reader = null;
            if (ticket != null) {
                ticket.join();
            }
        }
    }
}
