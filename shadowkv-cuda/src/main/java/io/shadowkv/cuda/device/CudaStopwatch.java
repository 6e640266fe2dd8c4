package io.shadowkv.cuda.device;

import io.shadowkv.op.OperationKind;
import io.shadowkv.op.Stopwatch;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// Times operations with events before and after each one, on the calling thread's queue. No thread
/// waits for the events until the times are requested. A fetch is timed on the copy queue as well,
/// because it may run there; the longer of the two times counts.
///
/// At the start of a fetch the copy queue waits for the main queue, and at the start of attention
/// the main queue waits for the copy queue. The operations have both dependencies anyway. Neither
/// wait is part of a time.
public final class CudaStopwatch implements Stopwatch<CudaStopwatch.Start> {
    private final CudaContext context;
    private final List<Span> spans = new ArrayList<>();

    public CudaStopwatch(CudaContext context) {
        this.context = context;
    }

    /// @param event event on the calling thread's queue
    /// @param copyEvent event on the copy queue; 0 for all kinds except a fetch
    record Start(long event, long copyEvent) {}

    private record Span(OperationKind kind, long start, long end) {}

    @Override
    public Start start(OperationKind kind) {
        CudaQueue queue = context.queue();
        if (kind == OperationKind.FETCH) {
            order(queue, context.copyQueue());
            return new Start(mark(queue), mark(context.copyQueue()));
        }
        if (kind == OperationKind.ATTENTION) {
            order(context.copyQueue(), queue);
        }
        return new Start(mark(queue), 0);
    }

    @Override
    public void stop(Start started, OperationKind kind) {
        long end = mark(context.queue());
        synchronized (spans) {
            spans.add(new Span(kind, started.event(), end));
            if (started.copyEvent() != 0) {
                spans.add(new Span(kind, started.copyEvent(), mark(context.copyQueue())));
            }
        }
    }

    private long mark(CudaQueue queue) {
        long event = context.driver().cuEventCreate(true);
        queue.record(event);
        return event;
    }

    /// Lets `second` wait for what `first` has been given so far.
    private void order(CudaQueue first, CudaQueue second) {
        long event = context.driver().cuEventCreate(false);
        first.record(event);
        second.await(event);
        context.driver().cuEventDestroy(event);
    }

    @Override
    public Map<OperationKind, Long> nanosByKind() {
        context.makeCurrent();
        List<Span> ended;
        synchronized (spans) {
            ended = List.copyOf(spans);
            spans.clear();
        }
        Map<OperationKind, Long> nanos = new EnumMap<>(OperationKind.class);
        for (int i = 0; i < ended.size(); i++) {
            Span span = ended.get(i);
            long taken = take(span);
            if (span.kind() == OperationKind.FETCH && i + 1 < ended.size()) {
                taken = Math.max(taken, take(ended.get(++i)));
            }
            nanos.merge(span.kind(), taken, Long::sum);
        }
        return nanos;
    }

    /// A span's nanoseconds; its events are freed.
    private long take(Span span) {
        var driver = context.driver();
        driver.cuEventSynchronize(span.end());
        long nanos = Math.round(driver.cuEventElapsedTime(span.start(), span.end()) * 1e6);
        driver.cuEventDestroy(span.start());
        driver.cuEventDestroy(span.end());
        return nanos;
    }

    /// Frees the events whose times were not requested.
    @Override
    public void close() {
        nanosByKind();
    }
}
