package io.shadowkv.op.host;

import io.shadowkv.op.Backend;
import io.shadowkv.op.OperationKind;
import io.shadowkv.op.Stopwatch;
import java.util.EnumMap;
import java.util.Map;

/// A stopwatch that reads the clock and waits after every operation. Exact if operations run when
/// they are called. Too long for short operations of a device, because it then includes the time of
/// the launch.
public final class HostStopwatch implements Stopwatch<Long> {
    private final Backend backend;
    private final Map<OperationKind, Long> nanos = new EnumMap<>(OperationKind.class);

    public HostStopwatch(Backend backend) {
        this.backend = backend;
    }

    @Override
    public Long start(OperationKind kind) {
        return System.nanoTime();
    }

    @Override
    public void stop(Long started, OperationKind kind) {
        backend.synchronize();
        long taken = System.nanoTime() - started;
        synchronized (nanos) {
            nanos.merge(kind, taken, Long::sum);
        }
    }

    @Override
    public Map<OperationKind, Long> nanosByKind() {
        synchronized (nanos) {
            Map<OperationKind, Long> told = Map.copyOf(nanos);
            nanos.clear();
            return told;
        }
    }

    @Override
    public void close() {}
}
