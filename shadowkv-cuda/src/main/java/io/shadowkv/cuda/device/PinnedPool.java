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

    private final CudaContext context;
    private final HostPages pages = new HostPages();
    private final Map<Long, Deque<MemorySegment>> free = new HashMap<>();
    private long freeBytes;

    public PinnedPool(CudaContext context) {
        this.context = context;
    }

    /// Bytes that can still be taken.
    public synchronized long availableBytes() {
        return freeBytes + Math.max(0, HostMemoryProbe.availableBytes() - RESERVE_BYTES);
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
