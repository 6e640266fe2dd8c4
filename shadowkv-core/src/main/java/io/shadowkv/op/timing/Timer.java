package io.shadowkv.op.timing;

import io.shadowkv.op.OperationKind;
import io.shadowkv.op.Stopwatch;

/// Passes operations through a stopwatch while it is on. Work beside the main queue is booked as indexing, whatever
/// the operation: that is what runs there.
final class Timer {
    private static final ScopedValue<Boolean> ASIDE = ScopedValue.newInstance();

    private final Stopwatch<?> stopwatch;
    private volatile boolean isOn;

    Timer(Stopwatch<?> stopwatch) {
        this.stopwatch = stopwatch;
    }

    void turn(boolean on) {
        isOn = on;
    }

    boolean isOn() {
        return isOn;
    }

    Stopwatch<?> stopwatch() {
        return stopwatch;
    }

    void time(OperationKind part, Runnable operation) {
        if (isOn) {
            time(stopwatch, ASIDE.isBound() ? OperationKind.INDEX : part, operation);
        } else {
            operation.run();
        }
    }

    private static <T> void time(Stopwatch<T> stopwatch, OperationKind part, Runnable operation) {
        T started = stopwatch.start(part);
        operation.run();
        stopwatch.stop(started, part);
    }

    /// `work`, its operations known to run beside the main queue.
    Runnable aside(Runnable work) {
        return () -> ScopedValue.where(ASIDE, true).run(work);
    }
}
