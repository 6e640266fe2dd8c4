package io.shadowkv.server.generate;

import io.shadowkv.engine.GenerationEvent;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.engine.serve.Generation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The generations of one request, whose events one thread takes with a time limit.
///
/// A virtual thread per generation moves its events into a bounded queue. If nobody takes them, the
/// engine leaves the sequence out of its steps. Closing cancels what has not ended.
public final class Choices implements AutoCloseable {
    private static final int QUEUED_EVENTS = 64;
    private static final long LOOK_MILLIS = 100;

    private final List<Generation> generations = new ArrayList<>();
    private final GenerationObserver observer;
    private final Slots slots;
    private final BlockingQueue<ChoiceEvent> events = new ArrayBlockingQueue<>(QUEUED_EVENTS);
    private volatile boolean isClosed;

    private Choices(GenerationObserver observer, Slots slots) {
        this.observer = observer;
        this.slots = slots;
    }

    /// Submits the requests. If the engine refuses one of them, those before it are cancelled.
    ///
    /// @throws RuntimeException the engine's refusal
    public static Choices submit(Engine engine, List<Request> requests, GenerationObserver observer, Slots slots) {
        Choices choices = new Choices(observer, slots);
        try {
            requests.forEach(request -> choices.start(engine.submit(request)));
        } catch (RuntimeException e) {
            choices.close();
            throw e;
        }
        return choices;
    }

    private void start(Generation generation) {
        int choice = generations.size();
        generations.add(generation);
        long submitted = System.nanoTime();
        Slots.Occupant slot = slots.submitted(
                generation.request().promptIds().length,
                generation.request().options().maxNewTokens());
        Thread.ofVirtual().name("shadowkv-choice").start(() -> {
            try {
                move(choice, generation, submitted, slot);
            } finally {
                slot.ends();
            }
        });
    }

    /// Number of generations.
    public int count() {
        return generations.size();
    }

    /// Waits for the next event of any generation.
    ///
    /// @return null if the time passes before
    /// @throws InterruptedException if the server stops
    public @Nullable ChoiceEvent poll(Duration limit) throws InterruptedException {
        return events.poll(limit.toNanos(), TimeUnit.NANOSECONDS);
    }

    private void move(int choice, Generation generation, long submitted, Slots.Occupant slot) {
        long last = 0;
        try {
            Iterator<GenerationEvent> source = generation.events();
            while (source.hasNext()) {
                GenerationEvent event = source.next();
                long now = System.nanoTime();
                switch (event) {
                    case GenerationEvent.Reading reading -> slot.begins();
                    case GenerationEvent.Token token -> {
                        slot.generated();
                        observer.token(last == 0 ? 0 : now - last);
                        last = now;
                    }
                    case GenerationEvent.Ended ended -> {
                        slot.ends();
                        observer.ended(ended.completion(), now - submitted);
                    }
                }
                put(new ChoiceEvent(choice, event, null));
            }
        } catch (InterruptedException e) {
            generation.cancel();
        } catch (RuntimeException e) {
            observer.failed(e);
            putFailure(new ChoiceEvent(choice, null, e));
        }
    }

    private void putFailure(ChoiceEvent failure) {
        try {
            put(failure);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// Waits for room in the queue. Once nobody takes events any more, they are dropped.
    private void put(ChoiceEvent event) throws InterruptedException {
        boolean isDone = false;
        while (!isDone && !isClosed) {
            isDone = events.offer(event, LOOK_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    /// Cancels the generations that have not ended.
    @Override
    public void close() {
        isClosed = true;
        generations.forEach(Generation::cancel);
    }
}
