package io.shadowkv.cuda.device;

import io.shadowkv.cuda.ffi.HostPages;
import io.shadowkv.op.BackendMemoryException;
import io.shadowkv.op.host.HostMemoryProbe;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Page-locked host memory. Locking takes a tenth of a second or more per gigabyte, so returned
/// blocks are kept for the next request of their size, until memory is short. Thread-safe.
public final class PinnedPool implements AutoCloseable {
    private static final long PAGE = 4096;
    /// Host memory left to the system and the JVM.
    private static final long RESERVE_BYTES = 2L << 30;

    /// How much the JVM's heap is expected to grow between a plan and the last allocation.
    private static final long MAX_GROWTH_BYTES = 2L << 30;

    /// Part of the locked bytes that page tables take: 8 bytes for each page of 4 KiB, for the
    /// processor and for the device.
    private static final long TABLE_SHARE = 256;

    private final CudaContext context;
    private final HostPages pages = new HostPages();
    private final Map<Long, Deque<MemorySegment>> free = new HashMap<>();
    private long freeBytes;

    public PinnedPool(CudaContext context) {
        this.context = context;
    }

    /// Bytes that a plan may promise. This is less than [#take] would give now, because the JVM grows
    /// and page tables are made before the last block of a plan is locked.
    public synchronized long availableBytes() {
        Runtime runtime = Runtime.getRuntime();
        return freeBytes + promised(HostMemoryProbe.availableBytes(), runtime.maxMemory() - runtime.totalMemory());
    }

    /// @param available bytes that the system reports as available
    /// @param heapGrowth bytes by which the heap may still grow
    static long promised(long available, long heapGrowth) {
        long lockable = available - RESERVE_BYTES - Math.clamp(heapGrowth, 0, MAX_GROWTH_BYTES);
        return Math.max(0, lockable - Math.max(0, lockable) / TABLE_SHARE);
    }

    /// Takes a zeroed block of at least `bytes` bytes.
    ///
    /// @throws BackendMemoryException if the system cannot lock that much memory
    synchronized MemorySegment take(long bytes, String purpose) {
        long size = Math.ceilDiv(bytes, PAGE) * PAGE;
        Deque<MemorySegment> same = free.get(size);
        if (same != null && !same.isEmpty()) {
            MemorySegment block = same.pop();
            freeBytes -= size;
            pages.zero(block);
            return block;
        }
        if (HostMemoryProbe.availableBytes() - RESERVE_BYTES < size) {
            release();
        }
        MemorySegment block = HostMemoryProbe.availableBytes() - RESERVE_BYTES < size ? null : lock(size);
        if (block == null) {
            throw new BackendMemoryException(
                    "the host has no %,d bytes of page-locked memory for %s (%,d are available). Shorten the context, lower the batch size, store values as int8 or fp8, or raise the limit of locked memory (ulimit -l)"
                            .formatted(bytes, purpose, HostMemoryProbe.availableBytes()));
        }
        return block;
    }

    private @Nullable MemorySegment lock(long size) {
        MemorySegment block = pages.map(size);
        if (block == null) {
            return null;
        }
        context.makeCurrent();
        if (!context.driver().cuMemHostRegister(block)) {
            pages.unmap(block);
            return null;
        }
        context.pinned().add(block.address(), size);
        return block;
    }

    /// Returns a block. The device must not read it any more.
    synchronized void give(MemorySegment block) {
        free.computeIfAbsent(block.byteSize(), size -> new ArrayDeque<>()).push(block);
        freeBytes += block.byteSize();
    }

    private void release() {
        context.makeCurrent();
        for (Deque<MemorySegment> blocks : free.values()) {
            for (MemorySegment block : blocks) {
                context.pinned().remove(block.address());
                context.driver().cuMemHostUnregister(block);
                pages.unmap(block);
            }
        }
        free.clear();
        freeBytes = 0;
    }

    @Override
    public synchronized void close() {
        release();
    }
}
