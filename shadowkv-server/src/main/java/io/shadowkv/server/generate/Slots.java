package io.shadowkv.server.generate;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// The places in the engine's batch, as clients see them, and the generations in them. A generation
/// takes the lowest free place when its first event arrives. Thread-safe.
public final class Slots {
    private final int count;
    private final List<@Nullable Occupant> occupants = new ArrayList<>();
    private long tasks;

    /// @param count number of sequences that decode together
    public Slots(int count) {
        this.count = count;
    }

    /// One place.
    ///
    /// @param id its number, from 0
    /// @param occupant the generation in it; null if it is free
    public record Slot(int id, @Nullable Occupant occupant) {}

    /// A generation. Used by the thread that moves its events; others read it.
    public final class Occupant {
        private final long task;
        private final int promptTokens;
        private final int maxNewTokens;
        private boolean hasBegun;
        private final AtomicInteger generatedTokens = new AtomicInteger();

        private Occupant(long task, int promptTokens, int maxNewTokens) {
            this.task = task;
            this.promptTokens = promptTokens;
            this.maxNewTokens = maxNewTokens;
        }

        /// Number of the generation among all of the server.
        public long task() {
            return task;
        }

        public int promptTokens() {
            return promptTokens;
        }

        /// Maximum number of tokens of the answer.
        public int maxNewTokens() {
            return maxNewTokens;
        }

        public int generatedTokens() {
            return generatedTokens.get();
        }

        /// The generation is read or decodes.
        void begins() {
            if (!hasBegun) {
                hasBegun = true;
                enter(this);
            }
        }

        void generated() {
            begins();
            generatedTokens.incrementAndGet();
        }

        void ends() {
            leave(this);
        }
    }

    /// A generation that was submitted and has no place yet.
    synchronized Occupant submitted(int promptTokens, int maxNewTokens) {
        return new Occupant(tasks++, promptTokens, maxNewTokens);
    }

    private synchronized void enter(Occupant occupant) {
        int free = occupants.indexOf(null);
        if (free < 0) {
            occupants.add(occupant);
        } else {
            occupants.set(free, occupant);
        }
    }

    private synchronized void leave(Occupant occupant) {
        int place = occupants.indexOf(occupant);
        if (place >= 0) {
            occupants.set(place, null);
        }
        while (!occupants.isEmpty() && occupants.getLast() == null) {
            occupants.removeLast();
        }
    }

    /// All places in order. There are more than sequences decode together if clients still take the
    /// events of sequences that have ended.
    public synchronized List<Slot> list() {
        List<Slot> slots = new ArrayList<>();
        for (int id = 0; id < Math.max(count, occupants.size()); id++) {
            slots.add(new Slot(id, id < occupants.size() ? occupants.get(id) : null));
        }
        return slots;
    }
}
