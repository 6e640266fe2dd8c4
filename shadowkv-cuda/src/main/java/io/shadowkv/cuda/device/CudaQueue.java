package io.shadowkv.cuda.device;

import io.shadowkv.cuda.ffi.Driver;

/// A stream of the device. Its work runs in order, and at the same time as the work of other
/// queues. Used by one thread at a time.
public final class CudaQueue {
    private final CudaContext context;
    private final long stream;
    private boolean endsWithKernel;

    /// @param priority lower numbers first; 0 is the least urgent
    CudaQueue(CudaContext context, int priority) {
        this.context = context;
        context.makeCurrent();
        this.stream = context.driver().cuStreamCreateWithPriority(priority);
    }

    public long stream() {
        return stream;
    }

    /// Records an event at the current end of the queue.
    public void record(long event) {
        driver().cuEventRecord(event, stream);
    }

    /// Makes all later work of the queue wait for the event.
    public void await(long event) {
        endsWithKernel = false;
        driver().cuStreamWaitEvent(stream, event);
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
        driver().cuStreamSynchronize(stream);
    }

    /// Copies between any two places.
    public void copy(long target, long source, long bytes) {
        if (bytes > 0) {
            endsWithKernel = false;
            context.makeCurrent();
            driver().cuMemcpyAsync(target, source, bytes, stream);
        }
    }

    public void zero(long address, long bytes) {
        if (bytes > 0) {
            endsWithKernel = false;
            context.makeCurrent();
            driver().cuMemsetD8Async(address, 0, bytes, stream);
        }
    }

    void close() {
        driver().cuStreamDestroy(stream);
    }

    private Driver driver() {
        return context.driver();
    }
}
