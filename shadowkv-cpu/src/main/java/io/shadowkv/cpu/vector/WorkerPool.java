package io.shadowkv.cpu.vector;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// A fixed set of threads that, together with the caller, run the indices of one task at a time.
/// The next free thread takes the next index. One caller at a time: a second one is refused.
public final class WorkerPool implements AutoCloseable {
    /// Number of spins before a thread sleeps: a decode step starts hundreds of short tasks.
    private static final int SPINS = 2_000;

    private final Thread[] workers;
    private final Scratch callerScratch = new Scratch();
    /// The thread whose task runs; null between tasks.
    private final AtomicReference<@Nullable Thread> caller = new AtomicReference<>();

    private volatile @Nullable Job job;
    private volatile boolean closed;

    /// @param threads number of threads that compute, including the caller
    public WorkerPool(int threads) {
        workers = new Thread[threads - 1];
        for (int i = 0; i < workers.length; i++) {
            workers[i] =
                    Thread.ofPlatform().daemon().name("shadowkv-cpu-" + (i + 1)).start(this::work);
        }
    }

    /// Number of threads that compute, including the caller.
    public int threads() {
        return workers.length + 1;
    }

    /// Runs `task` for every index from 0 to `count` (exclusive) and returns when all are done.
    ///
    /// @throws IllegalStateException if the pool is closed or computes for another thread. Rethrows
    ///     the first exception of `task`
    public void each(int count, Task task) {
        if (closed) {
            throw new IllegalStateException("the backend is closed");
        }
        Thread other = caller.compareAndExchange(null, Thread.currentThread());
        if (other != null) {
            throw new IllegalStateException(
                    "the thread \"" + Thread.currentThread().getName()
                            + "\" uses a CPU backend that computes for \"" + other.getName()
                            + "\"; a backend serves one engine at a time. Open a backend for each engine");
        }
        try {
            run(count, task);
        } finally {
            caller.set(null);
        }
    }

    private void run(int count, Task task) {
        if (count == 1 || workers.length == 0) {
            for (int i = 0; i < count; i++) {
                task.run(i, callerScratch);
            }
            return;
        }
        var started = new Job(count, task, Thread.currentThread());
        job = started;
        for (int i = 0; i < Math.min(workers.length, count - 1); i++) {
            LockSupport.unpark(workers[i]);
        }
        started.run(callerScratch);
        started.await();
        job = null;
        started.rethrow();
    }

    /// Runs `task` on ranges of the indices 0 to `count` (exclusive), each of `grain` indices
    /// except the last.
    public void ranges(int count, int grain, RangeTask task) {
        int parts = Math.ceilDiv(count, grain);
        each(parts, (i, scratch) -> task.run(i * grain, Math.min(count, (i + 1) * grain), scratch));
    }

    @Override
    public void close() {
        closed = true;
        for (Thread worker : workers) {
            LockSupport.unpark(worker);
        }
        for (Thread worker : workers) {
            try {
                worker.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    private void work() {
        var scratch = new Scratch();
        Job last = null;
        int idle = 0;
        while (!closed) {
            Job next = job;
            if (next != null && next != last) {
                next.run(scratch);
                last = next;
                idle = 0;
            } else if (idle++ < SPINS) {
                Thread.onSpinWait();
            } else {
                last = null;
                LockSupport.park(this);
                idle = 0;
            }
        }
    }

    /// A task that runs for one index.
    public interface Task {
        void run(int index, Scratch scratch);
    }

    /// A task that runs for indices `from` to `to` (exclusive).
    public interface RangeTask {
        void run(int from, int to, Scratch scratch);
    }

    private static final class Job {
        private final int count;
        private final Task task;
        private final Thread caller;
        private final AtomicInteger next = new AtomicInteger();
        private final AtomicInteger done = new AtomicInteger();
        private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

        Job(int count, Task task, Thread caller) {
            this.count = count;
            this.task = task;
            this.caller = caller;
        }

        void run(Scratch scratch) {
            for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
                try {
                    if (failure.get() == null) {
                        task.run(i, scratch);
                    }
                } catch (Throwable e) {
                    failure.compareAndSet(null, e);
                } finally {
                    if (done.incrementAndGet() == count) {
                        LockSupport.unpark(caller);
                    }
                }
            }
        }

        void await() {
            int spins = 0;
            while (done.get() < count) {
                if (spins++ < SPINS) {
                    Thread.onSpinWait();
                } else {
                    LockSupport.park(this);
                }
            }
        }

        void rethrow() {
            switch (failure.get()) {
                case null -> {}
                case RuntimeException e -> throw e;
                case Error e -> throw e;
                case Throwable e -> throw new IllegalStateException("a worker failed", e);
            }
        }
    }
}
