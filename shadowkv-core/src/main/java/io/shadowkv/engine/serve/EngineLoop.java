package io.shadowkv.engine.serve;

import io.shadowkv.engine.EngineUnavailableException;
import io.shadowkv.engine.QueueFullException;
import io.shadowkv.engine.batch.Scheduler;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The engine's thread. It takes tasks from all callers and runs rounds of the scheduler between
/// them. It owns the scheduler: no other thread uses it, except a caller with exclusive use.
///
/// A failure that leaves a round marks the engine as broken and ends everything with the reason.
final class EngineLoop {
    /// How long a step waits for a consumer that has just received an event, so that a batch stays
    /// together while listeners run.
    private static final long CATCH_UP_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

    /// How long a generation may be left out of steps before it is cancelled. Calls that wait for
    /// their own listeners have no limit.
    private static final long STALLED_NANOS = TimeUnit.MINUTES.toNanos(5);

    /// How often a loop that waits for consumers looks for cancellations and timeouts.
    private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    private final Scheduler scheduler;
    private final int maxWaiting;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Deque<Task> tasks = new ArrayDeque<>();
    private final Set<Generation> live = new LinkedHashSet<>();
    private final Thread thread;
    private int waiting;
    private int running;
    private boolean isRefusing;
    private boolean isClosing;
    private @Nullable EngineUnavailableException unavailable;
    private volatile @Nullable Thread exclusiveUser;

    /// @param maxWaiting maximum number of submitted requests that wait
    EngineLoop(Scheduler scheduler, int maxWaiting) {
        this.scheduler = scheduler;
        this.maxWaiting = maxWaiting;
        this.thread = Thread.ofPlatform().name("shadowkv-engine").daemon().unstarted(this::run);
        thread.start();
    }

    /// A piece of work for the engine's thread, in the order of arrival.
    private interface Task {
        void run();

        /// The engine has become unavailable before the task could run.
        void refuse(EngineUnavailableException reason);

        /// True if it must wait until all sequences have ended.
        default boolean isExclusive() {
            return false;
        }

        /// True if it submits a request.
        default boolean isRequest() {
            return false;
        }
    }

    /// A sequence that is to be submitted, and the generation that reports it.
    record Submission(Generation generation, Runnable submit) {}

    /// Submits sequences together.
    ///
    /// @param isBounded true to refuse them if too many wait already
    /// @throws QueueFullException if too many wait
    /// @throws EngineUnavailableException if the engine does not take requests
    void submit(Collection<Submission> submissions, boolean isBounded) {
        lock.lock();
        try {
            checkAvailable();
            checkNotInside();
            if (isBounded && waiting + submissions.size() > maxWaiting) {
                throw new QueueFullException(
                        "%,d requests wait for their turn, the most this engine keeps waiting. Try again later, or raise max waiting"
                                .formatted(waiting));
            }
            waiting += submissions.size();
            for (Submission submission : submissions) {
                live.add(submission.generation());
                tasks.add(new Task() {
                    @Override
                    public void run() {
                        submission.submit().run();
                    }

                    @Override
                    public void refuse(EngineUnavailableException reason) {
                        submission.generation().fail(reason);
                    }

                    @Override
                    public boolean isRequest() {
                        return true;
                    }
                });
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// Runs a short task on the engine's thread, between rounds, and waits for it. Does nothing if the
    /// engine has ended, because everything was freed then.
    void between(Runnable task) {
        if (exclusiveUser == Thread.currentThread()) {
            task.run();
            return;
        }
        CompletableFuture<Boolean> done = new CompletableFuture<>();
        lock.lock();
        try {
            if (unavailable != null || isClosing) {
                return;
            }
            tasks.add(new Task() {
                @Override
                public void run() {
                    task.run();
                    done.complete(true);
                }

                @Override
                public void refuse(EngineUnavailableException reason) {
                    done.complete(false);
                }
            });
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        done.join();
    }

    /// Exclusive use of the scheduler and the backend by the calling thread, until closed.
    interface Exclusive extends AutoCloseable {
        @Override
        void close();
    }

    /// Waits until all sequences that were submitted so far have ended.
    ///
    /// @throws IllegalStateException if the thread has exclusive use already, because it would wait
    ///     for itself
    /// @throws EngineUnavailableException if the engine does not take requests
    Exclusive exclusive() {
        ExclusiveTask task = new ExclusiveTask();
        lock.lock();
        try {
            checkAvailable();
            checkNotInside();
            tasks.add(task);
            changed.signalAll();
            task.awaitGranted();
        } finally {
            lock.unlock();
        }
        exclusiveUser = Thread.currentThread();
        return task;
    }

    private void checkNotInside() {
        if (exclusiveUser == Thread.currentThread()) {
            throw new IllegalStateException("this thread uses the engine exclusively, for a comparison, logits or a"
                    + " batch of its own; a further call would wait for itself. Call after that has ended");
        }
    }

    private final class ExclusiveTask implements Task, Exclusive {
        private boolean isGranted;
        private boolean isOver;
        private @Nullable EngineUnavailableException refusal;

        @Override
        public boolean isExclusive() {
            return true;
        }

        /// Holds the lock.
        void awaitGranted() {
            while (!isGranted && refusal == null) {
                changed.awaitUninterruptibly();
            }
            if (refusal != null) {
                throw new EngineUnavailableException(refusal);
            }
        }

        @Override
        public void run() {
            lock.lock();
            try {
                isGranted = true;
                changed.signalAll();
                while (!isOver) {
                    changed.awaitUninterruptibly();
                }
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void refuse(EngineUnavailableException reason) {
            lock.lock();
            try {
                refusal = reason;
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void close() {
            exclusiveUser = null;
            lock.lock();
            try {
                isOver = true;
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    /// @throws EngineUnavailableException if the engine does not take requests
    void checkAvailable() {
        lock.lock();
        try {
            if (unavailable != null) {
                throw new EngineUnavailableException(unavailable);
            }
            if (isRefusing) {
                throw new EngineUnavailableException("the engine is being drained and takes no further requests");
            }
        } finally {
            lock.unlock();
        }
    }

    /// The loop looks at cancellations and consumers again.
    void wake() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// A generation has ended.
    void ended(Generation generation) {
        lock.lock();
        try {
            live.remove(generation);
        } finally {
            lock.unlock();
        }
    }

    /// Number of requests that wait for their turn.
    int waiting() {
        lock.lock();
        try {
            return waiting;
        } finally {
            lock.unlock();
        }
    }

    /// Number of requests whose prompts are read or that decode.
    int running() {
        lock.lock();
        try {
            return running;
        } finally {
            lock.unlock();
        }
    }

    /// Takes no further requests, and waits until those that were submitted have ended.
    ///
    /// @return false if the time passed before that
    boolean drain(Duration limit) throws InterruptedException {
        lock.lock();
        try {
            isRefusing = true;
            long left = limit.toNanos();
            while (!live.isEmpty() && left > 0) {
                left = changed.awaitNanos(Math.min(left, POLL_NANOS)) + left - Math.min(left, POLL_NANOS);
            }
            return live.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    /// Ends everything with a reason, frees the scheduler, and waits for the thread. Waits for
    /// exclusive use to end.
    ///
    /// @throws IllegalStateException if the calling thread has exclusive use
    void close() {
        if (exclusiveUser == Thread.currentThread()) {
            throw new IllegalStateException("close was called from a listener, while the engine computes for it. Cancel"
                    + " the request, and close the engine after the call that it belongs to has returned");
        }
        lock.lock();
        try {
            isClosing = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        boolean isInterrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                isInterrupted = true;
            }
        }
        if (isInterrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        EngineUnavailableException reason = new EngineUnavailableException("the engine is closed");
        try {
            while (!isClosing()) {
                Task task = next();
                if (task != null) {
                    task.run();
                } else if (!scheduler.isIdle()) {
                    scheduler.round();
                }
                count();
            }
        } catch (RuntimeException | Error e) {
            reason = new EngineUnavailableException(
                    "the engine is broken and has ended all requests: " + e + ". Open it again", e);
        }
        end(reason);
    }

    private boolean isClosing() {
        lock.lock();
        try {
            return isClosing;
        } finally {
            lock.unlock();
        }
    }

    /// Waits for something to do: a task, or null for a round.
    private @Nullable Task next() {
        lock.lock();
        try {
            while (!isClosing) {
                Task first = tasks.peekFirst();
                if (first != null && (!first.isExclusive() || scheduler.isIdle())) {
                    return tasks.removeFirst();
                }
                long wait = scheduler.isIdle() ? Long.MAX_VALUE : waitForConsumers();
                if (wait == 0) {
                    return null;
                }
                changed.awaitNanos(wait);
            }
            return null;
        } catch (InterruptedException e) {
            // Nobody outside can interrupt the loop's thread.
            throw new IllegalStateException("the engine's thread was interrupted", e);
        } finally {
            lock.unlock();
        }
    }

    /// Nanoseconds that the next round waits for slow consumers; 0 if it can begin.
    private long waitForConsumers() {
        long wait = 0;
        for (Generation generation : List.copyOf(live)) {
            long full = generation.fullNanos();
            if (full > 0 && full < CATCH_UP_NANOS) {
                wait = Math.max(wait, CATCH_UP_NANOS - full);
            } else if (full > STALLED_NANOS && generation.isLimited()) {
                generation.cancel();
            }
        }
        return wait > 0 || scheduler.canWork() ? wait : POLL_NANOS;
    }

    private void count() {
        lock.lock();
        try {
            waiting = scheduler.waiting()
                    + (int) tasks.stream().filter(Task::isRequest).count();
            running = scheduler.running();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void end(EngineUnavailableException reason) {
        List<Task> refused;
        lock.lock();
        try {
            unavailable = reason;
            refused = List.copyOf(tasks);
            tasks.clear();
        } finally {
            lock.unlock();
        }
        try {
            scheduler.failAll(reason);
        } catch (RuntimeException | Error e) {
            reason.addSuppressed(e);
        }
        refused.forEach(task -> task.refuse(reason));
        List<Generation> left;
        lock.lock();
        try {
            left = List.copyOf(live);
            waiting = 0;
            running = 0;
        } finally {
            lock.unlock();
        }
        // A broken backend may have kept the scheduler from ending them.
        left.forEach(generation -> generation.fail(reason));
        try {
            scheduler.close();
        } catch (RuntimeException | Error e) {
            reason.addSuppressed(e);
        }
    }
}
