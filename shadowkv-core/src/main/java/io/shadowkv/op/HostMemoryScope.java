package io.shadowkv.op;

import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.HostMemory;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.concurrent.atomic.AtomicLong;

/// Memory of backends that compute on the host: both places are off-heap memory, counted apart, 64-byte aligned.
public final class HostMemoryScope implements MemoryScope {
    private static final int ALIGNMENT = 64;

    private final String purpose;
    private final Arena arena = Arena.ofShared();
    private final AtomicLong deviceBytes = new AtomicLong();
    private final AtomicLong hostBytes = new AtomicLong();
    private boolean closed;

    /// @param purpose what the memory is for, for messages
    public HostMemoryScope(String purpose) {
        this.purpose = purpose;
    }

    @Override
    public Tensor allocate(Backend.Place place, DType dtype, int... extents) {
        Shape shape = Shape.of(extents);
        long bytes = Math.multiplyExact(shape.elements(), (long) dtype.bytes());
        try {
            var memory = new HostMemory(arena.allocate(Math.max(bytes, 1), ALIGNMENT));
            counter(place).addAndGet(bytes);
            return new Tensor(dtype, shape, memory, 0);
        } catch (OutOfMemoryError error) {
            throw new BackendMemoryException(
                    "no memory for " + bytes + " bytes (" + dtype + " " + shape + ") of " + purpose
                            + "; shorten the context, shrink the batch or choose ShadowKV",
                    error);
        }
    }

    @Override
    public long bytes(Backend.Place place) {
        return counter(place).get();
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            arena.close();
            deviceBytes.set(0);
            hostBytes.set(0);
        }
    }

    private AtomicLong counter(Backend.Place place) {
        return place == Backend.Place.DEVICE ? deviceBytes : hostBytes;
    }
}
