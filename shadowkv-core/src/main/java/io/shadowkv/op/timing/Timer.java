package io.shadowkv.op.timing;

import io.shadowkv.op.OperationKind;
import io.shadowkv.op.Stopwatch;

/// Times operations with a stopwatch while it is on. All work on the side queue counts as indexing,
/// whatever the operation.
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

    void time(OperationKind kind, Runnable operation) {
        if (isOn) {
            time(stopwatch, ASIDE.isBound() ? OperationKind.INDEX : kind, operation);
        } else {
            operation.run();
        }
    }

    private static <T> void time(Stopwatch<T> stopwatch, OperationKind kind, Runnable operation) {
        T started = stopwatch.start(kind);
        operation.run();
        stopwatch.stop(started, kind);
    }

    /// Returns `work`, marked as running on the side queue.
    Runnable aside(Runnable work) {
        return () -> ScopedValue.where(ASIDE, true).run(work);
    }
}
