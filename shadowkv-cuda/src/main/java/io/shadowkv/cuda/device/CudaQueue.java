package io.shadowkv.cuda.device;

import io.shadowkv.cuda.ffi.Driver;

/// A stream of the device: work in order, beside other queues' work. Used by one thread at a time.
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

    /// Marks the end of what is enqueued so far.
    public void record(long event) {
        driver().cuEventRecord(event, stream);
    }

    /// What is enqueued from now on waits for the event.
    public void await(long event) {
        endsWithKernel = false;
        driver().cuStreamWaitEvent(stream, event);
    }

    /// Notes that a kernel was enqueued.
    void launched() {
        endsWithKernel = true;
    }

    /// Notes that what is enqueued from now on belongs to a new recording.
    void begin() {
        endsWithKernel = false;
    }

    /// True where a kernel that comes next follows a kernel, with nothing to copy or to wait for in between, so that
    /// it may start while that one ends.
    boolean endsWithKernel() {
        return endsWithKernel;
    }

    /// Blocks the calling thread until all work is done.
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
