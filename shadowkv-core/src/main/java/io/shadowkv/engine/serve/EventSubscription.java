package io.shadowkv.engine.serve;

import io.shadowkv.engine.GenerationEvent;
import java.util.Iterator;
import java.util.concurrent.Flow;
import java.util.concurrent.Semaphore;

/// Passes events to a subscriber on a virtual thread, as many as it requests.
final class EventSubscription implements Flow.Subscription {
    private final Flow.Subscriber<? super GenerationEvent> subscriber;
    private final Iterator<GenerationEvent> events;
    private final Runnable cancel;
    private final Semaphore demand = new Semaphore(0);
    private volatile boolean isCancelled;
    private volatile boolean isMisused;

    private EventSubscription(
            Flow.Subscriber<? super GenerationEvent> subscriber, Iterator<GenerationEvent> events, Runnable cancel) {
        this.subscriber = subscriber;
        this.events = events;
        this.cancel = cancel;
    }

    /// @param cancel ends the generation
    static void start(
            Flow.Subscriber<? super GenerationEvent> subscriber, Iterator<GenerationEvent> events, Runnable cancel) {
        EventSubscription subscription = new EventSubscription(subscriber, events, cancel);
        Thread.ofVirtual().name("shadowkv-subscriber").start(subscription::run);
    }

    private void run() {
        try {
            subscriber.onSubscribe(this);
            while (!isCancelled && events.hasNext()) {
                demand.acquire();
                if (isMisused) {
                    throw new IllegalArgumentException("a subscriber requested 0 or fewer events; expected 1 or more");
                }
                if (!isCancelled) {
                    subscriber.onNext(events.next());
                }
            }
            if (!isCancelled) {
                subscriber.onComplete();
            }
        } catch (InterruptedException e) {
            fail(e);
        } catch (RuntimeException e) {
            fail(e);
        }
    }

    /// A failure of the sequence, or an exception of the subscriber itself.
    private void fail(Throwable reason) {
        if (!isCancelled) {
            cancel();
            subscriber.onError(reason);
        }
    }

    @Override
    public void request(long count) {
        isMisused |= count <= 0;
        long more = Math.max(1, count);
        demand.release((int)
                Math.min(more, Integer.MAX_VALUE / 2 - Math.min(demand.availablePermits(), Integer.MAX_VALUE / 2)));
    }

    @Override
    public void cancel() {
        isCancelled = true;
        cancel.run();
        demand.release();
    }
}
