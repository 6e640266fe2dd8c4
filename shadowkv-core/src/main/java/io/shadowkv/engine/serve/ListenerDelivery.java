package io.shadowkv.engine.serve;

import io.shadowkv.engine.GenerationEvent;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/// Passes the events of generations to their requests' listeners, on the calling thread.
final class ListenerDelivery {
    private final EventQueue queue;
    private final List<Generation> generations;
    private final Set<Generation> failed = new HashSet<>();
    private @Nullable Error error;

    /// @param queue receives the events of these generations and no others
    ListenerDelivery(EventQueue queue, List<Generation> generations) {
        this.queue = queue;
        this.generations = generations;
    }

    /// Returns when all generations have ended. A generation whose listener throws an exception is
    /// cancelled; the others go on.
    ///
    /// @throws CancellationException if the thread is interrupted: all generations are cancelled, and
    ///     the thread's interrupt status is set
    /// @throws Error an error that a listener threw
    void run() {
        int open = generations.size();
        boolean isInterrupted = false;
        while (open > 0) {
            EventQueue.Entry entry;
            try {
                entry = isInterrupted ? queue.takeUninterruptibly() : queue.take();
            } catch (InterruptedException e) {
                isInterrupted = true;
                generations.forEach(Generation::cancel);
                continue;
            }
            GenerationEvent event = entry.event();
            if (event == null || event instanceof GenerationEvent.Ended) {
                open--;
            } else if (!failed.contains(entry.generation())) {
                deliver(entry.generation(), event);
            }
            entry.generation().consumed();
        }
        if (error != null) {
            throw error;
        }
        if (isInterrupted) {
            Thread.currentThread().interrupt();
            throw new CancellationException("the thread was interrupted; its requests were cancelled");
        }
    }

    private void deliver(Generation generation, GenerationEvent event) {
        var listener = generation.request().listener();
        try {
            switch (event) {
                case GenerationEvent.Reading reading -> {
                    // The reading ends with the unit that was being computed.
                    if (!generation.request().cancellation().isRequested()) {
                        listener.reading(reading.done());
                    }
                }
                case GenerationEvent.Token token -> listener.token(token.id(), token.text());
                case GenerationEvent.Ended ended -> {}
            }
        } catch (RuntimeException e) {
            failed.add(generation);
            generation.failListener(e);
        } catch (Error e) {
            failed.add(generation);
            generation.cancel();
            error = e;
        }
    }
}
