package io.shadowkv.op.timing;

import io.shadowkv.op.AttentionOperations;
import io.shadowkv.op.Backend;
import io.shadowkv.op.DenseOperations;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.Operations;
import io.shadowkv.op.ShadowOperations;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.Map;

/// A backend whose operations can be timed. Until [#startTiming], and after [#stopTiming], everything goes straight
/// through; in between, every operation passes the backend's stopwatch, and steps run without being replayed, since
/// a recording has no places to look in. Closing it closes the stopwatch; the backend stays its owner's.
public final class TimedBackend implements Backend {
    private final Backend backend;
    private final Timer timer;
    private final Operations operations;

    public TimedBackend(Backend backend) {
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
    public Map<Part, Long> stopTiming() {
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
    public Stopwatch<?> newStopwatch() {
        return backend.newStopwatch();
    }

    @Override
    public void close() {
        timer.stopwatch().close();
    }

    // From here on everything is handed on.

    @Override
    public String name() {
        return backend.name();
    }

    @Override
    public String description() {
        return backend.description();
    }

    @Override
    public DType activationType(DType weightType) {
        return backend.activationType(weightType);
    }

    @Override
    public MemoryScope newScope(String purpose) {
        return backend.newScope(purpose);
    }

    @Override
    public MemoryScope newScope(String purpose, long deviceBytes) {
        return backend.newScope(purpose, deviceBytes);
    }

    @Override
    public Tensor place(Tensor host, MemoryScope scope) {
        return backend.place(host, scope);
    }

    @Override
    public boolean isHostDevice() {
        return backend.isHostDevice();
    }

    @Override
    public long availableBytes(Place place) {
        return backend.availableBytes(place);
    }

    @Override
    public int prefillRows() {
        return backend.prefillRows();
    }

    @Override
    public int rowBucket(int rows) {
        return backend.rowBucket(rows);
    }

    @Override
    public boolean hasSideQueue() {
        return backend.hasSideQueue();
    }

    @Override
    public void synchronize() {
        backend.synchronize();
    }

    @Override
    public void upload(int[] source, Tensor target) {
        backend.upload(source, target);
    }

    @Override
    public float[] download(Tensor source) {
        return backend.download(source);
    }

    @Override
    public int[] downloadInts(Tensor source) {
        return backend.downloadInts(source);
    }

    @Override
    public long[] downloadLongs(Tensor source) {
        return backend.downloadLongs(source);
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
