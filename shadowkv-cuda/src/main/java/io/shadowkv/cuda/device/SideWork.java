package io.shadowkv.cuda.device;

import io.shadowkv.cuda.device.CudaQueue.Lane;
import io.shadowkv.op.Backend.Ticket;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/// Work at the same time as the main queue. A separate thread enqueues it on a queue of its own, and
/// can wait for its results while the main thread continues.
public final class SideWork implements AutoCloseable {
    private final CudaContext context;
    private final CudaQueue queue;
    private final ExecutorService thread;

    /// @param name of the thread
    public SideWork(CudaContext context, CudaQueue queue, String name) {
        this.context = context;
        this.queue = queue;
        this.thread = Executors.newSingleThreadExecutor(
                Thread.ofPlatform().daemon().name(name).factory());
    }

    /// Moves the queue after the work that was enqueued so far.
    void moveTo(@Nullable Lane lane) {
        thread.execute(() -> {
            context.makeCurrent();
            queue.moveTo(lane);
        });
    }

    /// Enqueues work that comes after everything on the calling thread's queue.
    public Ticket enqueue(Runnable work) {
        context.makeCurrent();
        long before = context.driver().cuEventCreate(false);
        context.queue().record(before);
        Future<Long> running = thread.submit(() -> run(work, before));
        return new SideTicket(running);
    }

    /// @return event that marks the end of the work
    private long run(Runnable work, long before) {
        context.makeCurrent();
        context.onQueue(queue);
        queue.await(before);
        context.driver().cuEventDestroy(before);
        work.run();
        long after = context.driver().cuEventCreate(false);
        queue.record(after);
        return after;
    }

    @Override
    public void close() {
        thread.close();
    }

    private final class SideTicket implements Ticket {
        private final Future<Long> running;
        private boolean isJoined;

        SideTicket(Future<Long> running) {
            this.running = running;
        }

        @Override
        public boolean isDone() {
            return isJoined || running.isDone();
        }

        @Override
        public void join() {
            if (isJoined) {
                return;
            }
            try {
                long after = running.get();
                context.makeCurrent();
                context.queue().await(after);
                context.driver().cuEventDestroy(after);
                isJoined = true;
            } catch (ExecutionException e) {
                isJoined = true;
                throw e.getCause() instanceof RuntimeException failure
                        ? failure
                        : new IllegalStateException("work of the side queue failed", e.getCause());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while waiting for the side queue", e);
            }
        }
    }
}
