package io.shadowkv.cuda.launch;

import io.shadowkv.cuda.device.CudaContext;
import io.shadowkv.cuda.device.CudaQueue;
import io.shadowkv.op.BackendMemoryException;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// Times work on a queue with a cold L2 cache, as in a decode step. Weights of 30 MB fit the cache,
/// and a timing with a warm cache would choose the wrong kernel. Must not be used while a step is
/// recorded.
public final class LaunchTimer implements AutoCloseable {
    private static final int REPEATS = 3;
    private static final int ROW_BYTES = 1 << 20;
    /// Number of times that the device overwrites the cache: half a millisecond, in which the host
    /// enqueues the timed work even before its code is compiled.
    private static final int FLUSHES = 16;

    private final CudaContext context;
    private final CudaQueue queue;
    private final MemoryScope scope;
    private final @Nullable Tensor flushed;
    private final long start;
    private final long end;

    public LaunchTimer(CudaParts parts, CudaQueue queue) {
        this.context = parts.context();
        this.queue = queue;
        this.scope = parts.newScope().apply("timing kernels");
        this.flushed = flushed(scope, context.l2Bytes());
        this.start = context.driver().cuEventCreate(true);
        this.end = context.driver().cuEventCreate(true);
    }

    /// If the device has no memory left for this, the cache stays warm: such a timing is better
    /// than none.
    private static @Nullable Tensor flushed(MemoryScope scope, int l2Bytes) {
        try {
            return scope.allocate(DType.U8, 2 * Math.ceilDiv(l2Bytes, ROW_BYTES), ROW_BYTES);
        } catch (BackendMemoryException e) {
            return null;
        }
    }

    /// The shortest of a few runs, in milliseconds.
    public float milliseconds(Runnable launches) {
        float least = Float.POSITIVE_INFINITY;
        for (int i = 0; i < REPEATS; i++) {
            Tensor cache = flushed;
            for (int f = 0; f < FLUSHES && cache != null; f++) {
                queue.zero(context.address(cache), cache.byteSize());
            }
            queue.record(start);
            launches.run();
            queue.record(end);
            context.driver().cuEventSynchronize(end);
            least = Math.min(least, context.driver().cuEventElapsedTime(start, end));
        }
        return least;
    }

    @Override
    public void close() {
        context.driver().cuEventDestroy(start);
        context.driver().cuEventDestroy(end);
        scope.close();
    }
}
