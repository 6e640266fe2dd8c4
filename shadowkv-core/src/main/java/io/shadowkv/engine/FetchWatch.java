package io.shadowkv.engine;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/// Keeps what decode steps select and fetch, for displays. Thread-safe; the caller must close it.
///
/// Watching takes at most a fiftieth of the engine's time, so not every step is kept where a look
/// takes long. If nobody takes what is kept, the oldest is dropped.
public final class FetchWatch implements AutoCloseable {
    private static final int MOST = 256;

    private final Watches watches;
    private final Deque<SequenceFetches> kept = new ArrayDeque<>();

    private FetchWatch(Watches watches) {
        this.watches = watches;
    }

    /// Takes what was kept since the last call, in the order of the steps.
    public List<SequenceFetches> take() {
        synchronized (kept) {
            List<SequenceFetches> taken = new ArrayList<>(kept);
            kept.clear();
            return taken;
        }
    }

    private void add(SequenceFetches fetches) {
        synchronized (kept) {
            if (kept.size() == MOST) {
                kept.removeFirst();
            }
            kept.addLast(fetches);
        }
    }

    @Override
    public void close() {
        watches.open.remove(this);
    }

    /// The open watches of one engine, and when the next look is due. Watches are opened by any thread;
    /// one thread looks.
    public static final class Watches {
        /// A look may take one part in this many of the time.
        private static final long PARTS = 50;

        private final List<FetchWatch> open = new CopyOnWriteArrayList<>();
        private long due = Long.MIN_VALUE;

        public FetchWatch open() {
            FetchWatch watch = new FetchWatch(this);
            open.add(watch);
            return watch;
        }

        /// True if somebody watches and the next look is due.
        ///
        /// @param now time in nanoseconds
        public boolean areDue(long now) {
            return !open.isEmpty() && (due == Long.MIN_VALUE || now - due >= 0);
        }

        /// Hands the result of a look to all watches.
        ///
        /// @param start when the look began, in nanoseconds
        /// @param end when it ended
        public void looked(List<SequenceFetches> found, long start, long end) {
            due = end + (PARTS - 1) * (end - start);
            open.forEach(watch -> found.forEach(watch::add));
        }
    }
}
