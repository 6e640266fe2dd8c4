package io.shadowkv.op.timing;

import io.shadowkv.op.AttentionOperations;
import io.shadowkv.op.Backend;
import io.shadowkv.op.DenseOperations;
import io.shadowkv.op.ForwardingBackend;
import io.shadowkv.op.OperationKind;
import io.shadowkv.op.Operations;
import io.shadowkv.op.SamplingOperations;
import io.shadowkv.op.ShadowOperations;
import java.util.Map;

/// A backend whose operations can be timed. Before [#startTiming] and after [#stopTiming], all
/// calls are forwarded unchanged. In between, the backend's stopwatch times every operation, and
/// steps run without being replayed, because the operations inside a recording cannot be timed.
/// Closing it closes the stopwatch; the caller must close the backend itself.
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

    /// Starts timing what is enqueued from now on.
    public void startTiming() {
        backend.synchronize();
        timer.stopwatch().nanosByKind();
        timer.turn(true);
    }

    /// Stops timing and returns the time of each kind of operation.
    public Map<OperationKind, Long> stopTiming() {
        timer.turn(false);
        return timer.stopwatch().nanosByKind();
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

    /// All groups of operations, timed.
    private record TimedOperations(
            DenseOperations dense, AttentionOperations attention, ShadowOperations shadow, SamplingOperations sampling)
            implements Operations {
        TimedOperations(Operations operations, Timer timer) {
            this(
                    new TimedDense(operations.dense(), timer),
                    new TimedAttention(operations.attention(), timer),
                    new TimedShadow(operations.shadow(), timer),
                    new TimedSampling(operations.sampling(), timer));
        }
    }
}
