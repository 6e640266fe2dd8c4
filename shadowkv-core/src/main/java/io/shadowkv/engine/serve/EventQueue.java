package io.shadowkv.engine.serve;

import io.shadowkv.engine.GenerationEvent;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Events of one or more generations on their way from the engine's thread to one consumer.
/// Thread-safe.
final class EventQueue {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition arrived = lock.newCondition();
    private final Deque<Entry> entries = new ArrayDeque<>();

    /// @param event null if the generation failed
    record Entry(Generation generation, @Nullable GenerationEvent event) {}

    /// Adds an event.
    ///
    /// @return false if it replaced an older event that the consumer does not need any more
    boolean put(Entry entry) {
        lock.lock();
        try {
            Entry last = entries.peekLast();
            boolean replaces = entry.event() instanceof GenerationEvent.Reading
                    && last != null
                    && last.generation() == entry.generation()
                    && last.event() instanceof GenerationEvent.Reading;
            if (replaces) {
                entries.removeLast();
            }
            entries.addLast(entry);
            arrived.signal();
            return !replaces;
        } finally {
            lock.unlock();
        }
    }

    /// Waits for the next event and removes it.
    Entry take() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (entries.isEmpty()) {
                arrived.await();
            }
            return entries.removeFirst();
        } finally {
            lock.unlock();
        }
    }

    /// Like [#take], and goes on waiting if the thread is interrupted.
    Entry takeUninterruptibly() {
        lock.lock();
        try {
            while (entries.isEmpty()) {
                arrived.awaitUninterruptibly();
            }
            return entries.removeFirst();
        } finally {
            lock.unlock();
        }
    }
}
