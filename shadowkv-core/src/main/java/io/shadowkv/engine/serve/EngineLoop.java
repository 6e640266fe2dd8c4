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
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
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
    private final Deque<LoopTask> tasks = new ArrayDeque<>();
    private final Set<Generation> live = new LinkedHashSet<>();
    private final Thread thread;
    private int waiting;
    private int running;
    private boolean isRefusing;
    private boolean isClosing;
    private volatile @Nullable EngineUnavailableException unavailable;
    private volatile @Nullable Thread exclusiveUser;
    private volatile @Nullable Long busySince;

    /// @param maxWaiting maximum number of submitted requests that wait
    EngineLoop(Scheduler scheduler, int maxWaiting) {
        this.scheduler = scheduler;
        this.maxWaiting = maxWaiting;
        this.thread = Thread.ofPlatform().name("shadowkv-engine").daemon().unstarted(this::run);
        thread.start();
    }

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
            submissions.forEach(submission -> live.add(submission.generation()));
            tasks.addAll(submissions);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// Runs a short task on the engine's thread, between rounds, and waits for it. Does nothing if the
    /// engine has ended, because everything was freed then.
    void between(Runnable task) {
        try {
            call(() -> {
                task.run();
                return true;
            });
        } catch (EngineUnavailableException e) {
            // Freed with the engine.
        }
    }

    /// Runs a short task on the engine's thread, between rounds, and returns its result. An exception
    /// of the task is thrown here.
    ///
    /// @throws EngineUnavailableException if the engine has ended
    <T> T call(Supplier<T> task) {
        if (exclusiveUser == Thread.currentThread()) {
            return task.get();
        }
        FutureTask<T> future = new FutureTask<>(task::get);
        lock.lock();
        try {
            if (unavailable != null || isClosing) {
                throw unavailable == null
                        ? new EngineUnavailableException("the engine is closed")
                        : new EngineUnavailableException(unavailable);
            }
            tasks.add(LoopTask.of(future));
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        return LoopTask.resultOf(future);
    }

    /// Waits until all sequences that were submitted so far have ended.
    ///
    /// @throws IllegalStateException if the thread has exclusive use already, because it would wait
    ///     for itself
    /// @throws EngineUnavailableException if the engine does not take requests
    ExclusiveUse exclusive() {
        ExclusiveUse task = new ExclusiveUse(lock, changed, () -> exclusiveUser = null);
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

    /// Why the engine is broken; null if it is not.
    @Nullable
    Throwable failure() {
        EngineUnavailableException now = unavailable;
        return now == null ? null : now.getCause();
    }

    /// How long the current round or task takes so far; 0 if there is none, or if a caller uses the
    /// engine exclusively.
    Duration busyTime() {
        Long since = busySince;
        return since == null ? Duration.ZERO : Duration.ofNanos(System.nanoTime() - since);
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
            return Math.min(waiting, Math.max(0, live.size() - running));
        } finally {
            lock.unlock();
        }
    }

    /// Number of requests whose prompts are read or that decode.
    int running() {
        lock.lock();
        try {
            // Those that ended in the round that goes on are counted after it.
            return Math.min(running, live.size());
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
                if (!work(next())) {
                    pause();
                }
                count();
            }
        } catch (RuntimeException | Error | InterruptedException e) {
            // Nobody outside can interrupt the loop's thread.
            reason = new EngineUnavailableException(
                    "the engine is broken and has ended all requests: " + e + ". Open it again", e);
        }
        end(reason);
    }

    /// Runs a task, or a round if there is none. False if there is nothing to do until something changes.
    private boolean work(@Nullable LoopTask task) {
        busySince = task != null && task.isExclusive() ? null : System.nanoTime();
        try {
            if (task != null) {
                task.run();
                return true;
            }
            return scheduler.isIdle() || scheduler.round();
        } finally {
            busySince = null;
        }
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
    private @Nullable LoopTask next() throws InterruptedException {
        lock.lock();
        try {
            while (!isClosing) {
                LoopTask first = tasks.peekFirst();
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
        return wait;
    }

    /// Waits until something changes, at most until the next look at cancellations and timeouts. A
    /// spurious wakeup only makes the next round earlier.
    @SuppressWarnings("WaitNotInLoop")
    private void pause() throws InterruptedException {
        lock.lock();
        try {
            if (tasks.isEmpty() && !isClosing) {
                changed.awaitNanos(POLL_NANOS);
            }
        } finally {
            lock.unlock();
        }
    }

    private void count() {
        lock.lock();
        try {
            waiting = scheduler.waiting()
                    + (int) tasks.stream().filter(LoopTask::isRequest).count();
            running = scheduler.running();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void end(EngineUnavailableException reason) {
        List<LoopTask> refused;
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
