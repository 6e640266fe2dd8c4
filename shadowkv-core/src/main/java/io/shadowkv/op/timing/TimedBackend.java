package io.shadowkv.op.timing;

import io.shadowkv.op.AttentionOperations;
import io.shadowkv.op.Backend;
import io.shadowkv.op.DenseOperations;
import io.shadowkv.op.ForwardingBackend;
import io.shadowkv.op.OperationKind;
import io.shadowkv.op.Operations;
import io.shadowkv.op.ShadowOperations;
import java.util.Map;

/// A backend whose operations can be timed. Until [#startTiming], and after [#stopTiming], everything goes straight
/// through; in between, every operation passes the backend's stopwatch, and steps run without being replayed, since
/// a recording has no places to look in. Closing it closes the stopwatch; the backend stays its owner's.
public final class TimedBackend extends ForwardingBackend {
    private final Backend backend;
    private final Timer timer;
    private final Operations operations;

    public TimedBackend(Backend backend) {
        super(backend);
        this.backend = backend;
        this.timer = new Timer(backend.newStopwatch());
        this.operations = new TimedOperations(backend.operations(), timer);
    }

    /// Times what is enqueued from now on.
    public void startTiming() {
        backend.synchronize();
        timer.stopwatch().nanosByPart();
        timer.turn(true);
    }

    /// Ends it and tells what each part took.
    public Map<OperationKind, Long> stopTiming() {
        timer.turn(false);
        return timer.stopwatch().nanosByPart();
    }

    @Override
    public Operations operations() {
        return operations;
    }

    @Override
    public void replay(Object key, Runnable step) {
        if (timer.isOn()) {
            step.run();
        } else {
            backend.replay(key, step);
        }
    }

    @Override
    public Ticket aside(Runnable work) {
        return backend.aside(timer.aside(work));
    }

    @Override
    public void close() {
        timer.stopwatch().close();
    }

    /// The three rooms, timed.
    private record TimedOperations(DenseOperations dense, AttentionOperations attention, ShadowOperations shadow)
            implements Operations {
        TimedOperations(Operations operations, Timer timer) {
            this(
                    new TimedDense(operations.dense(), timer),
                    new TimedAttention(operations.attention(), timer),
                    new TimedShadow(operations.shadow(), timer));
        }
    }
}
