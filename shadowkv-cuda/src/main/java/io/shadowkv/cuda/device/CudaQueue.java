package io.shadowkv.cuda.device;

import io.shadowkv.cuda.ffi.Driver;
import org.jspecify.annotations.Nullable;

/// Work of the device that runs in order, and at the same time as the work of other queues. A queue
/// can move to another stream; what comes then runs after what came before. Used by one thread at a
/// time.
public final class CudaQueue {
    private final CudaContext context;
    /// The stream that was made for this queue, or null if a [Division] owns it.
    private final @Nullable Lane own;

    private volatile Lane lane;
    private boolean endsWithKernel;

    /// A stream, and the number of multiprocessors that its work runs on.
    record Lane(long stream, int multiprocessors) {}

    /// @param priority lower numbers first; 0 is the least urgent
    CudaQueue(CudaContext context, int priority) {
        this.context = context;
        context.makeCurrent();
        this.own = new Lane(context.driver().cuStreamCreateWithPriority(priority), context.allMultiprocessors());
        this.lane = own;
    }

    /// @param lane not closed with the queue
    CudaQueue(CudaContext context, Lane lane) {
        this.context = context;
        this.own = null;
        this.lane = lane;
    }

    /// Moves the queue.
    ///
    /// @param target another lane; null for the queue's own
    void moveTo(@Nullable Lane target) {
        Lane next = target == null ? own : target;
        if (next == null || next.equals(lane)) {
            return;
        }
        long event = driver().cuEventCreate(false);
        record(event);
        lane = next;
        await(event);
        driver().cuEventDestroy(event);
    }

    Lane lane() {
        return lane;
    }

    public long stream() {
        return lane.stream();
    }

    /// Number of multiprocessors that its work runs on.
    public int multiprocessors() {
        return lane.multiprocessors();
    }

    /// Records an event at the current end of the queue.
    public void record(long event) {
        driver().cuEventRecord(event, stream());
    }

    /// Makes all later work of the queue wait for the event.
    public void await(long event) {
        endsWithKernel = false;
        driver().cuStreamWaitEvent(stream(), event);
    }

    /// Notes that a kernel was enqueued.
    void launched() {
        endsWithKernel = true;
    }

    /// Notes that all later work belongs to a new recording.
    void begin() {
        endsWithKernel = false;
    }

    /// True if the last work is a kernel, without a copy or a wait after it, so that the next
    /// kernel may start while this one ends.
    boolean endsWithKernel() {
        return endsWithKernel;
    }

    /// Blocks the calling thread until all work has ended.
    public void synchronize() {
        context.makeCurrent();
        driver().cuStreamSynchronize(stream());
    }

    /// Copies between any two places.
    public void copy(long target, long source, long bytes) {
        if (bytes > 0) {
            endsWithKernel = false;
            context.makeCurrent();
            driver().cuMemcpyAsync(target, source, bytes, stream());
        }
    }

    public void zero(long address, long bytes) {
        if (bytes > 0) {
            endsWithKernel = false;
            context.makeCurrent();
            driver().cuMemsetD8Async(address, 0, bytes, stream());
        }
    }

    void close() {
        if (own != null) {
            driver().cuStreamDestroy(own.stream());
        }
    }

    private Driver driver() {
        return context.driver();
    }
}
