package io.shadowkv.cuda.device;

import io.shadowkv.op.Backend.Place;
import io.shadowkv.op.BackendMemoryException;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.HostMemory;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// Device memory in slabs, and page-locked host memory. Small tensors share slabs; each tensor is
/// aligned to 256 bytes. Thread-safe.
public final class CudaScope implements MemoryScope {
    private static final long ALIGNMENT = 256;
    /// A request of this size or more gets its own slab; the driver allocates pieces of 2 MiB.
    private static final long OWN_BYTES = 4L << 20;

    /// The largest number of bytes that aligning the tensors of one owner takes.
    private static final long ALIGNMENT_ROOM = 256L << 10;

    private static final long FIRST_SLAB_BYTES = 64L << 10;
    private static final long LARGEST_SLAB_BYTES = 8L << 20;

    private final String purpose;
    private final long expectedBytes;
    private final CudaContext context;
    private final PinnedPool pinnedPool;
    private final List<Long> slabs = new ArrayList<>();
    private final List<MemorySegment> pinned = new ArrayList<>();
    private long slabBytes = FIRST_SLAB_BYTES;
    private long slabNext;
    private long slabEnd;
    private long deviceBytes;
    private long hostBytes;
    private boolean isClosed;

    public CudaScope(String purpose, CudaContext context, PinnedPool pinnedPool) {
        this(purpose, 0, context, pinnedPool);
    }

    /// @param expectedBytes device memory that will be requested, allocated at the first request; 0
    ///     allocates for each request
    public CudaScope(String purpose, long expectedBytes, CudaContext context, PinnedPool pinnedPool) {
        this.purpose = purpose;
        this.expectedBytes = expectedBytes;
        this.context = context;
        this.pinnedPool = pinnedPool;
    }

    @Override
    public synchronized Tensor allocate(Place place, DType dtype, int... extents) {
        if (isClosed) {
            throw new IllegalStateException("the memory of " + purpose + " was freed");
        }
        Shape shape = Shape.of(extents);
        long bytes = Math.multiplyExact(shape.elements(), (long) dtype.bytes());
        if (place == Place.HOST) {
            MemorySegment segment = pinnedPool.take(Math.max(bytes, 1), purpose);
            pinned.add(segment);
            hostBytes += bytes;
            return new Tensor(dtype, shape, new HostMemory(segment), 0);
        }
        long address = deviceMemory(Math.max(bytes, 1));
        // On the thread's queue, so that the zeros precede all that this queue writes.
        context.queue().zero(address, bytes);
        deviceBytes += bytes;
        return new Tensor(dtype, shape, new DeviceMemory(address, bytes, this), 0);
    }

    private long deviceMemory(long bytes) {
        long rounded = Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
        if (slabEnd - slabNext < rounded) {
            boolean isFirst = slabs.isEmpty() && expectedBytes > 0;
            if (bytes >= OWN_BYTES && !isFirst) {
                return slab(bytes);
            }
            long size = Math.max(rounded, isFirst ? expectedBytes + ALIGNMENT_ROOM : slabBytes);
            slabNext = slab(size);
            slabEnd = slabNext + size;
            slabBytes = Math.min(LARGEST_SLAB_BYTES, 4 * slabBytes);
        }
        long address = slabNext;
        slabNext += rounded;
        return address;
    }

    private long slab(long bytes) {
        context.makeCurrent();
        long address = context.driver().cuMemAlloc(bytes);
        if (address == 0) {
            long[] free = context.memory();
            throw new BackendMemoryException(
                    "%s has no %,d bytes left for %s (%,d of %,d free). Shorten the context, lower the batch size, choose ShadowKV, or end other programs on the device"
                            .formatted(context.name(), bytes, purpose, free[0], free[1]));
        }
        slabs.add(address);
        return address;
    }

    @Override
    public synchronized long bytes(Place place) {
        return place == Place.DEVICE ? deviceBytes : hostBytes;
    }

    @Override
    public synchronized void close() {
        if (isClosed) {
            return;
        }
        isClosed = true;
        context.recordings().forget(this);
        context.makeCurrent();
        // The driver waits for work in progress before it frees device memory. Page-locked memory
        // does not wait.
        slabs.forEach(context.driver()::cuMemFree);
        if (!pinned.isEmpty()) {
            context.mainQueue().synchronize();
            context.copyQueue().synchronize();
            context.sideQueue().synchronize();
            pinned.forEach(pinnedPool::give);
        }
        deviceBytes = 0;
        hostBytes = 0;
    }
}
