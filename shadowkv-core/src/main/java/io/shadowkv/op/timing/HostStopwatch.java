package io.shadowkv.op.timing;

import io.shadowkv.op.Backend;
import java.util.EnumMap;
import java.util.Map;

/// The clock, with a wait after every operation: exact where operations run as they are called, too long for short
/// operations of a device, whose launches then stand in line.
public final class HostStopwatch implements Stopwatch<Long> {
    private final Backend backend;
    private final Map<Part, Long> nanos = new EnumMap<>(Part.class);

    public HostStopwatch(Backend backend) {
        this.backend = backend;
    }

    @Override
    public Long start(Part part) {
        return System.nanoTime();
    }

    @Override
    public void stop(Long started, Part part) {
        backend.synchronize();
        long taken = System.nanoTime() - started;
        synchronized (nanos) {
            nanos.merge(part, taken, Long::sum);
        }
    }

    @Override
    public Map<Part, Long> nanosByPart() {
        synchronized (nanos) {
            Map<Part, Long> told = Map.copyOf(nanos);
            nanos.clear();
            return told;
        }
    }

    @Override
    public void close() {}
}
