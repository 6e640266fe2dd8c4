package io.shadowkv.cli.bench.load;

import io.shadowkv.engine.Cancellation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;

/// Sends the requests of a trace. Each request has a virtual thread of its own.
///
/// For use by one thread. A run that is cancelled sends nothing further, stops what runs, and returns
/// what was measured.
public final class LoadRun {
    private static final long LOOK_MILLIS = 20;

    private final LoadTarget target;
    private final LoadTrace trace;
    private final @Nullable DocumentPool pool;
    private final Cancellation cancellation;
    private final Progress progress;
    private final AtomicInteger answered = new AtomicInteger();
    private final AtomicInteger failed = new AtomicInteger();
    private final Map<String, String> firstMessages = new ConcurrentHashMap<>();

    /// Receives the progress on the thread of the run.
    @FunctionalInterface
    public interface Progress {
        /// @param ended number of requests that have ended, with or without an answer
        /// @param failed number of those that failed
        void at(int ended, int failed);
    }

    /// @param pool reads documents before requests about them; null if requests are sent as they are
    public LoadRun(
            LoadTarget target,
            LoadTrace trace,
            @Nullable DocumentPool pool,
            Cancellation cancellation,
            Progress progress) {
        this.target = target;
        this.trace = trace;
        this.pool = pool;
        this.cancellation = cancellation;
        this.progress = progress;
    }

    /// Open loop: sends each request at its time, however many are still running, so that a slow server
    /// does not delay the requests that show its slowness (no coordinated omission).
    ///
    /// @param arrivals nanoseconds from the start, ascending
    public List<AnswerRecord> open(long[] arrivals) {
        List<LoadRequest> requests = new ArrayList<>();
        for (int i = 0; i < arrivals.length; i++) {
            requests.add(trace.request(i));
        }
        List<Future<AnswerRecord>> answers = new ArrayList<>();
        try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            long start = System.nanoTime();
            for (int i = 0; i < arrivals.length && waitUntil(start + arrivals[i]); i++) {
                LoadRequest request = requests.get(i);
                long scheduled = arrivals[i];
                answers.add(clients.submit(() -> answer(request, start, scheduled)));
            }
            return gather(clients, answers);
        }
    }

    /// Closed loop: a number of clients, each of which sends its next request when the last one has been
    /// answered.
    ///
    /// @param limitNanos time after which no further request is sent
    public List<AnswerRecord> closed(int clientCount, long limitNanos) {
        AtomicInteger next = new AtomicInteger();
        IntUnaryOperator following = i -> Math.min(i + 1, trace.size());
        List<Future<List<AnswerRecord>>> answers = new ArrayList<>();
        try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            long start = System.nanoTime();
            for (int i = 0; i < clientCount; i++) {
                answers.add(clients.submit(() -> {
                    List<AnswerRecord> mine = new ArrayList<>();
                    int index = next.getAndUpdate(following);
                    while (index < trace.size()
                            && System.nanoTime() - start < limitNanos
                            && !cancellation.isRequested()) {
                        LoadRequest request = trace.request(index);
                        mine.add(answer(request, start, System.nanoTime() - start));
                        index = next.getAndUpdate(following);
                    }
                    return mine;
                }));
            }
            return gather(clients, answers).stream().flatMap(List::stream).toList();
        }
    }

    /// @return false if the run was cancelled
    private boolean waitUntil(long time) {
        long left = time - System.nanoTime();
        while (left > 0 && !cancellation.isRequested()) {
            LockSupport.parkNanos(Math.min(left, TimeUnit.MILLISECONDS.toNanos(LOOK_MILLIS)));
            left = time - System.nanoTime();
            progress.at(answered.get(), failed.get());
        }
        return !cancellation.isRequested();
    }

    private <T> List<T> gather(ExecutorService clients, List<Future<T>> answers) {
        List<T> results = new ArrayList<>();
        boolean isStopped = false;
        for (Future<T> answer : answers) {
            T result = null;
            while (result == null) {
                if (cancellation.isRequested() && !isStopped) {
                    isStopped = true;
                    clients.shutdownNow();
                }
                result = poll(answer);
                progress.at(answered.get(), failed.get());
            }
            results.add(result);
        }
        return results;
    }

    private <T> @Nullable T poll(Future<T> answer) {
        try {
            return answer.get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            return null;
        } catch (InterruptedException e) {
            cancellation.cancel();
            return null;
        } catch (ExecutionException e) {
            throw new IllegalStateException("the load generator failed", e.getCause());
        }
    }

    /// The first message of each kind of failure.
    public Map<String, String> firstMessages() {
        return new TreeMap<>(firstMessages);
    }

    private AnswerRecord answer(LoadRequest request, long start, long scheduled) {
        AnswerClock clock = new AnswerClock(request.index(), start, scheduled);
        String error = "";
        try {
            send(request, clock);
        } catch (InterruptedException e) {
            error = AnswerRecord.INTERRUPTED;
        } catch (LoadFailure e) {
            error = cancellation.isRequested() ? AnswerRecord.INTERRUPTED : e.kind();
            firstMessages.putIfAbsent(error, String.valueOf(e.getMessage()));
        }
        if (!error.isEmpty()) {
            failed.incrementAndGet();
        }
        answered.incrementAndGet();
        return clock.record(error);
    }

    private void send(LoadRequest request, AnswerClock clock) throws InterruptedException {
        LoadDocument document = request.document();
        if (pool == null || document == null) {
            target.answer(request, clock);
            return;
        }
        pool.enter(document);
        try {
            target.answer(request, clock);
        } finally {
            pool.leave(document);
        }
    }
}
