package io.shadowkv.cuda.launch;

import io.shadowkv.cuda.device.CudaContext;
import io.shadowkv.cuda.device.CudaQueue;
import io.shadowkv.op.StepRows;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Fetches of values that are under way on the copy queue, and who has to wait for them: whatever reads the rows
/// next. Several parts of a wave may be in flight. Works the same while a step is recorded, where waiting joins the
/// two queues' branches again; a recorded step must join all its fetches. Thread-safe.
public final class PendingFetches implements AutoCloseable {
    /// 32 KiB in flight each; to be chosen by ShadowStepBench.
    public static final int HOST_BLOCKS = 16;

    private final CudaContext context;
    /// Events by the address of the rows' slots. Later ones come after earlier ones on the copy queue.
    private final Map<Long, Long> events = new LinkedHashMap<>();

    private final Deque<Long> unused = new ArrayDeque<>();

    public PendingFetches(CudaContext context) {
        this.context = context;
    }

    /// Marks the end of what the copy queue has so far as the end of the fetches of `rows`.
    public synchronized void put(StepRows rows) {
        Long held = unused.poll();
        long event = held == null ? context.driver().cuEventCreate(false) : held;
        context.copyQueue().record(event);
        // An event that is replaced lies before the new one in the same queue.
        release(events.put(key(rows), event));
    }

    /// Makes `queue` wait for the fetches of `rows`; for all fetches if these rows have none of their own.
    public synchronized void join(StepRows rows, CudaQueue queue) {
        Long event = events.remove(key(rows));
        if (event == null) {
            joinAll(queue);
        } else {
            queue.await(event);
            release(event);
        }
    }

    /// Makes `queue` wait for all fetches. Only the main queue has any: whoever works on another one meanwhile must
    /// neither take them away nor be drawn into what is being recorded.
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

    /// True while a fetch may be under way whose end nobody was told to wait for.
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
