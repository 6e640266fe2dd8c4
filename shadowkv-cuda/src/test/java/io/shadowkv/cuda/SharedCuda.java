package io.shadowkv.cuda;

import io.shadowkv.op.Backend;
import io.shadowkv.op.BackendProvider.BackendOptions;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.Operations;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A view of the one backend that all tests of a JVM share, since opening a device takes most of a second: closing it
/// waits for the device and fails if memory is still held.
final class SharedCuda implements Backend {
    /// Compiled kernels stay between runs: every head dim and type of the suites has its own.
    private static final Path KERNELS = Path.of("target", "kernels");

    private final Backend backend = Device.BACKEND;
    private final Map<MemoryScope, Throwable> open = Collections.synchronizedMap(new LinkedHashMap<>());

    /// Opened by the first test that needs it, closed by the end of the JVM.
    private static final class Device {
        private static final Backend BACKEND = openDevice();
    }

    /// A new backend, for the test that wants it all for itself.
    static Backend openDevice() {
        return new CudaBackendProvider().open(BackendOptions.DEFAULT.withDevice(0, null, KERNELS));
    }

    @Override
    public MemoryScope newScope(String purpose) {
        MemoryScope scope = backend.newScope(purpose);
        var counted = new CountedScope(scope);
        open.put(counted, new Throwable("\"" + purpose + "\" was made here"));
        return counted;
    }

    private final class CountedScope implements MemoryScope {
        private final MemoryScope scope;

        CountedScope(MemoryScope scope) {
            this.scope = scope;
        }

        @Override
        public Tensor allocate(Place place, DType dtype, int... extents) {
            return scope.allocate(place, dtype, extents);
        }

        @Override
        public long bytes(Place place) {
            return scope.bytes(place);
        }

        @Override
        public void close() {
            open.remove(this);
            scope.close();
        }
    }

    /// Frees what the test left behind, and names it.
    @Override
    public void close() {
        backend.synchronize();
        Map<MemoryScope, Throwable> held = Map.copyOf(open);
        List.copyOf(open.keySet()).forEach(MemoryScope::close);
        if (!held.isEmpty()) {
            AssertionError leak = new AssertionError(held.size() + " scopes were never closed");
            held.values().forEach(leak::addSuppressed);
            throw leak;
        }
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
    public Ticket aside(Runnable work) {
        return backend.aside(work);
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
}
