package io.shadowkv.cuda;

import io.shadowkv.op.Backend;
import io.shadowkv.op.BackendProvider.BackendOptions;
import io.shadowkv.op.ForwardingBackend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A view of the one backend that all tests of a JVM share, because opening a device takes most of
/// a second. Closing the view waits for the device and fails if memory is still held.
final class SharedCuda extends ForwardingBackend {
    /// Keeps compiled kernels between runs, because the suites use many head dims and types.
    private static final Path KERNELS = Path.of("target", "kernels");

    private final Map<MemoryScope, Throwable> open = Collections.synchronizedMap(new LinkedHashMap<>());

    SharedCuda() {
        super(Device.BACKEND);
    }

    /// Opened by the first test that needs it, and released at the end of the JVM.
    private static final class Device {
        private static final Backend BACKEND = openDevice();
    }

    /// A new backend, for a test that does not share it.
    static Backend openDevice() {
        return new CudaBackendProvider().open(BackendOptions.DEFAULT.withDevice(0, null, KERNELS));
    }

    @Override
    public MemoryScope newScope(String purpose) {
        return counted(purpose, super.newScope(purpose));
    }

    @Override
    public MemoryScope newScope(String purpose, long deviceBytes) {
        return counted(purpose, super.newScope(purpose, deviceBytes));
    }

    private MemoryScope counted(String purpose, MemoryScope scope) {
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

    /// Frees memory that the test has not freed, and fails with the places that allocated it.
    @Override
    public void close() {
        synchronize();
        Map<MemoryScope, Throwable> held = Map.copyOf(open);
        List.copyOf(open.keySet()).forEach(MemoryScope::close);
        if (!held.isEmpty()) {
            AssertionError leak = new AssertionError(held.size() + " scopes were never closed");
            held.values().forEach(leak::addSuppressed);
            throw leak;
        }
    }
}
