package io.shadowkv.cuda.device;

import io.shadowkv.op.Backend.MemoryRates;
import io.shadowkv.op.Backend.Place;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;

/// Measures how fast a device reads its own memory and host memory, by copies between its own
/// buffers. Takes a few milliseconds on an idle queue.
public final class RateMeter {
    /// More than the L2 caches hold, so that the copies measure memory.
    private static final int DEVICE_BYTES = 256 << 20;
    /// Large enough to make the launch negligible: more than a millisecond at 50 GB/s.
    private static final int LINK_BYTES = 64 << 20;
    private static final int REPEATS = 3;
    /// An idle GPU raises its clocks within some 100 ms of work.
    private static final long WARMUP_NANOS = 150_000_000;

    private final CudaContext context;

    public RateMeter(CudaContext context) {
        this.context = context;
    }

    /// The best of several copies within the device (which read and write each byte), and of
    /// several copies from page-locked memory.
    public MemoryRates measure(PinnedPool pool) {
        try (CudaScope scope = new CudaScope("measuring memory rates", context, pool)) {
            Tensor source = scope.allocate(DType.U8, DEVICE_BYTES);
            Tensor target = scope.allocate(DType.U8, DEVICE_BYTES);
            Tensor host = scope.allocate(Place.HOST, DType.U8, LINK_BYTES);
            long to = context.address(target);
            return new MemoryRates(
                    2.0 * DEVICE_BYTES / seconds(to, context.address(source), DEVICE_BYTES, WARMUP_NANOS),
                    LINK_BYTES / seconds(to, host.segment().address(), LINK_BYTES, 0));
        }
    }

    /// The best of the copies that begin after `warmup` nanoseconds, the first one excepted.
    private double seconds(long target, long source, long bytes, long warmup) {
        CudaQueue queue = context.queue();
        long start = context.driver().cuEventCreate(true);
        long end = context.driver().cuEventCreate(true);
        try {
            double best = Double.POSITIVE_INFINITY;
            long warm = System.nanoTime() + warmup;
            boolean isFirst = true;
            for (int left = REPEATS; left > 0; ) {
                queue.record(start);
                queue.copy(target, source, bytes);
                queue.record(end);
                context.driver().cuEventSynchronize(end);
                // The first copy includes work that the driver does only once.
                if (!isFirst && System.nanoTime() >= warm) {
                    best = Math.min(best, context.driver().cuEventElapsedTime(start, end) / 1e3);
                    left--;
                }
                isFirst = false;
            }
            return best;
        } finally {
            context.driver().cuEventDestroy(start);
            context.driver().cuEventDestroy(end);
        }
    }
}
