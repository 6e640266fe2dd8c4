package io.shadowkv.cuda.launch;

import io.shadowkv.cuda.device.CudaContext;
import io.shadowkv.cuda.device.CudaQueue;
import io.shadowkv.op.StepRows;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Fetches of values that are in progress on the copy queue. The next operation that reads their
/// rows must wait for them. Fetches of several microbatches may be in progress at the same time.
/// While a step is recorded, waiting joins the branches of the two queues; a recorded step must
/// join all its fetches. Thread-safe.
public final class PendingFetches implements AutoCloseable {
    /// Blocks that read host memory, each with 32 KiB in flight. `ShadowStepBench` measures other
    /// numbers.
    public static final int HOST_BLOCKS = 16;

    private final CudaContext context;
    /// Events by the address of the rows' slots, in the order of the copy queue.
    private final Map<Long, Long> events = new LinkedHashMap<>();

    private final Deque<Long> unused = new ArrayDeque<>();

    public PendingFetches(CudaContext context) {
        this.context = context;
    }

    /// Marks the current end of the copy queue as the end of the fetches of `rows`.
    public synchronized void put(StepRows rows) {
        Long held = unused.poll();
        long event = held == null ? context.driver().cuEventCreate(false) : held;
        context.copyQueue().record(event);
        // The replaced event precedes the new one in the same queue.
        release(events.put(key(rows), event));
    }

    /// Makes `queue` wait for the fetches of `rows`, or for all fetches if these rows have no
    /// event.
    public synchronized void join(StepRows rows, CudaQueue queue) {
        Long event = events.remove(key(rows));
        if (event == null) {
            joinAll(queue);
        } else {
            queue.await(event);
            release(event);
        }
    }

    /// Makes `queue` wait for all fetches if it is the main queue, which alone has fetches. Another
    /// queue must not remove the main queue's events, and must not become part of its recording.
    public synchronized void joinAll(CudaQueue queue) {
        if (queue != context.mainQueue()) {
            return;
        }
        for (Long event : events.values()) {
            queue.await(event);
            release(event);
        }
        events.clear();
    }

    /// True if a fetch may be in progress that no queue waits for yet.
    synchronized boolean isAny() {
        return !events.isEmpty();
    }

    private void release(@Nullable Long event) {
        if (event != null) {
            unused.add(event);
        }
    }

    private long key(StepRows rows) {
        return context.address(rows.slots());
    }

    @Override
    public synchronized void close() {
        unused.addAll(events.values());
        events.clear();
        unused.forEach(context.driver()::cuEventDestroy);
        unused.clear();
    }
}
