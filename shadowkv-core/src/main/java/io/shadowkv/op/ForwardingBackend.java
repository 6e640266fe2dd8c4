package io.shadowkv.op;

import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import org.jspecify.annotations.Nullable;

/// A backend that forwards every call to another one. Subclasses override the calls that they
/// observe or change.
///
/// [Backend] has no default methods, so that a new method of the interface does not compile until
/// it is forwarded here.
public abstract class ForwardingBackend implements Backend {
    private final Backend backend;

    protected ForwardingBackend(Backend backend) {
        this.backend = backend;
    }

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
    public Operations operations() {
        return backend.operations();
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
    public @Nullable Weight placeQuantised(Weight host, MemoryScope scope) {
        return backend.placeQuantised(host, scope);
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
    public MemoryRates rates() {
        return backend.rates();
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
    public void replay(Object key, Runnable step) {
        backend.replay(key, step);
    }

    @Override
    public boolean hasSideQueue() {
        return backend.hasSideQueue();
    }

    @Override
    public boolean isDivisible() {
        return backend.isDivisible();
    }

    @Override
    public void divide(double readingShare) {
        backend.divide(readingShare);
    }

    @Override
    public Ticket enqueueReading(Runnable work) {
        return backend.enqueueReading(work);
    }

    @Override
    public Ticket aside(Runnable work) {
        return backend.aside(work);
    }

    @Override
    public Stopwatch<?> newStopwatch() {
        return backend.newStopwatch();
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

    @Override
    public void close() {
        backend.close();
    }
}
