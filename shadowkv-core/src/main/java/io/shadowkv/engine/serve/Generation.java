package io.shadowkv.engine.serve;

import io.shadowkv.engine.Completion;
import io.shadowkv.engine.GenerationEvent;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.batch.Sequence;
import io.shadowkv.engine.batch.SequenceEvents;
import io.shadowkv.sampling.TokenLogprobs;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// A submitted request. Its events can be consumed once, through [#events] or [#publisher]; its
/// completion arrives in [#completion] whether events are consumed or not.
///
/// Thread-safe. No code of the application runs on the engine's thread: stages that depend on the
/// completion and subscribers run on virtual threads. A consumer of events that is too slow delays
/// only its own sequence, which is left out of steps until the consumer has caught up.
public final class Generation {
    /// Events that wait for a consumer before the sequence is left out of steps.
    static final int EVENT_BUFFER = 1024;

    private final Request request;
    private final EngineLoop loop;
    private final EventQueue queue;
    private final int buffer;
    private final UnaryOperator<RuntimeException> explain;
    private final CompletableFuture<Completion> future = new CompletableFuture<>();
    private final AtomicInteger pending = new AtomicInteger();
    private final AtomicBoolean isConsumed = new AtomicBoolean();
    private volatile long fullSince;
    private volatile @Nullable Completion completion;
    private volatile @Nullable RuntimeException failure;
    private volatile @Nullable RuntimeException listenerFailure;

    /// @param queue receives the events
    /// @param buffer number of waiting events at which the sequence is left out of steps
    /// @param explain adds causes to failures; called on a virtual thread
    Generation(
            Request request, EngineLoop loop, EventQueue queue, int buffer, UnaryOperator<RuntimeException> explain) {
        this.request = request;
        this.loop = loop;
        this.queue = queue;
        this.buffer = buffer;
        this.explain = explain;
    }

    public Request request() {
        return request;
    }

    /// Completes when the sequence ends, also if it was cancelled. Completes exceptionally if it
    /// failed.
    public CompletionStage<Completion> completion() {
        return future.minimalCompletionStage();
    }

    /// Waits for the end.
    ///
    /// @throws RuntimeException the failure of the sequence
    /// @throws CancellationException if the thread is interrupted; the request is cancelled, and the
    ///     thread's interrupt status is set
    public Completion join() {
        try {
            future.handle((done, failed) -> true).get();
        } catch (InterruptedException e) {
            cancel();
            Thread.currentThread().interrupt();
            throw new CancellationException("the thread was interrupted while it waited for a completion");
        } catch (java.util.concurrent.ExecutionException e) {
            throw new AssertionError(e);
        }
        Completion done = completion;
        if (done == null) {
            throw explainedFailure();
        }
        return done;
    }

    private RuntimeException explainedFailure() {
        try {
            future.getNow(null);
            return new IllegalStateException("the sequence has not ended");
        } catch (java.util.concurrent.CompletionException e) {
            return e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }

    /// Stops the sequence at the next unit of reading or the next step. Its completion has what was
    /// generated so far.
    public void cancel() {
        request.cancellation().cancel();
        loop.wake();
    }

    /// The events, to be consumed by one thread. `next` waits for the next event; after the last one
    /// `hasNext` is false. Both throw the failure of a sequence that fails, and a
    /// [CancellationException] if the thread is interrupted.
    ///
    /// @throws IllegalStateException if the events are consumed already
    public Iterator<GenerationEvent> events() {
        consume();
        return new Events();
    }

    /// Publishes the events to one subscriber.
    public Flow.Publisher<GenerationEvent> publisher() {
        return subscriber -> {
            consume();
            EventSubscription.start(subscriber, new Events(), this::cancel);
        };
    }

    private void consume() {
        if (!isConsumed.compareAndSet(false, true)) {
            throw new IllegalStateException("the events of a generation can be consumed once");
        }
    }

    private final class Events implements Iterator<GenerationEvent> {
        private @Nullable GenerationEvent next;
        private boolean isOver;

        @Override
        public boolean hasNext() {
            if (next == null && !isOver) {
                next = take();
                isOver = next instanceof GenerationEvent.Ended;
            }
            return next != null;
        }

        private GenerationEvent take() {
            try {
                GenerationEvent event = queue.take().event();
                consumed();
                if (event == null) {
                    isOver = true;
                    future.handle((done, failed) -> true).join();
                    throw explainedFailure();
                }
                return event;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new CancellationException("the thread was interrupted while it waited for an event");
            }
        }

        @Override
        public GenerationEvent next() {
            if (!hasNext()) {
                throw new NoSuchElementException("the generation has ended");
            }
            GenerationEvent event = next;
            next = null;
            return java.util.Objects.requireNonNull(event);
        }
    }

    /// A consumer has handled one event.
    void consumed() {
        if (pending.decrementAndGet() == buffer - 1) {
            loop.wake();
        }
    }

    /// How long the sequence has been left out of steps; 0 if it is not. Only while a consumer is
    /// there: without one, events are kept until the end.
    long fullNanos() {
        return isReady() ? 0 : Math.max(1, System.nanoTime() - fullSince);
    }

    private boolean isReady() {
        return !isConsumed.get() || pending.get() < buffer;
    }

    /// The completion, once the sequence has ended; null if it failed.
    @Nullable
    Completion result() {
        return completion;
    }

    /// The failure, once the sequence has ended and its events were delivered; null if there is none. A
    /// listener can throw an exception at the last token, when the sequence has ended already.
    @Nullable
    RuntimeException failure() {
        RuntimeException own = failure;
        return own != null ? own : listenerFailure;
    }

    /// The request's listener consumes the events.
    void consumedByListener() {
        consume();
    }

    /// Cancels the request because its listener threw an exception, which becomes its failure.
    void failListener(RuntimeException thrown) {
        listenerFailure = thrown;
        cancel();
    }

    /// True if the generation is cancelled when its events are not consumed for long.
    boolean isLimited() {
        return buffer == EVENT_BUFFER;
    }

    /// What the scheduler reports, on the engine's thread.
    ///
    /// @param reportsProgress false if nobody needs readings and tokens
    SequenceEvents sink(boolean reportsProgress) {
        return new SequenceEvents() {
            @Override
            public void reading(double done) {
                if (reportsProgress) {
                    put(new GenerationEvent.Reading(done));
                }
            }

            @Override
            public void token(int id, String text, @Nullable TokenLogprobs logprobs) {
                if (reportsProgress) {
                    put(new GenerationEvent.Token(id, text, logprobs));
                }
            }

            @Override
            public void ended(Sequence sequence) {
                end(sequence);
            }

            @Override
            public boolean isReady() {
                return Generation.this.isReady();
            }
        };
    }

    private void put(@Nullable GenerationEvent event) {
        if (queue.put(new EventQueue.Entry(this, event)) && pending.incrementAndGet() == buffer) {
            fullSince = System.nanoTime();
        }
    }

    private void end(Sequence sequence) {
        RuntimeException thrown = listenerFailure;
        if (thrown != null) {
            fail(thrown);
            return;
        }
        try {
            Completion done = sequence.completion();
            completion = done;
            loop.ended(this);
            put(new GenerationEvent.Ended(done));
            Thread.ofVirtual().start(() -> future.complete(done));
        } catch (RuntimeException e) {
            fail(e);
        }
    }

    /// Ends the generation with a failure.
    void fail(RuntimeException reason) {
        failure = reason;
        loop.ended(this);
        put(null);
        Thread.ofVirtual().start(() -> future.completeExceptionally(explain.apply(reason)));
    }
}
