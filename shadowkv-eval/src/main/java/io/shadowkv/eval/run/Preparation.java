package io.shadowkv.eval.run;

import io.shadowkv.eval.Item;
import io.shadowkv.eval.Sample;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;

/// Makes samples on its own threads, so that those asked next are ready when the engine needs them.
///
/// An exception from making a sample is thrown by [#take]. For one thread; [#close] waits for
/// samples that are being made.
///
/// @param <T> the result made from a sample
final class Preparation<T> implements AutoCloseable {
    /// One thread makes 14 RULER samples of 32,768 tokens a second, including their ids; a GPU may
    /// answer more with a small model. On machines with few processors, fewer threads leave them to
    /// an engine that computes on the host.
    private static final int THREADS = Math.clamp(Runtime.getRuntime().availableProcessors() / 2, 2, 4);

    private final Function<Item, T> maker;
    private final ExecutorService threads = Executors.newFixedThreadPool(
            THREADS, Thread.ofPlatform().name("samples-", 0).daemon().factory());
    private final Map<Item, Future<T>> started = new HashMap<>();

    /// Creates the threads.
    ///
    /// @param maker called on several threads at a time
    Preparation(Function<Item, T> maker) {
        this.maker = maker;
    }

    /// A sample with its ids.
    record Prepared(Sample sample, SampleDialogue dialogue) {}

    /// Starts samples that are not started; drops those that are no longer expected.
    void expect(List<Item> items) {
        started.entrySet().removeIf(entry -> {
            boolean isForgotten = !items.contains(entry.getKey());
            if (isForgotten) {
                entry.getValue().cancel(false);
            }
            return isForgotten;
        });
        start(items);
    }

    private void start(List<Item> items) {
        items.forEach(item -> started.computeIfAbsent(item, _ -> threads.submit(() -> maker.apply(item))));
    }

    /// Waits for samples, expected or not.
    ///
    /// @return the results in the items' order
    /// @throws RuntimeException the failure of the first item that cannot be made
    /// @throws CancellationException if the thread is interrupted
    List<T> take(List<Item> items) {
        start(items);
        // Finished samples are kept until all are finished, so that they are not lost if one is
        // refused.
        List<T> taken = items.stream().map(this::await).toList();
        items.forEach(started::remove);
        return taken;
    }

    private T await(Item item) {
        try {
            return Objects.requireNonNull(started.get(item)).get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (CancellationException) new CancellationException("interrupted while a sample was made").initCause(e);
        } catch (ExecutionException e) {
            started.remove(item);
            switch (e.getCause()) {
                case RuntimeException failure -> throw failure;
                case Error failure -> throw failure;
                case null, default -> throw new IllegalStateException(e);
            }
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
        threads.close();
    }
}
