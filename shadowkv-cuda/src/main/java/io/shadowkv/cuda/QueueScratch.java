package io.shadowkv.cuda;

import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// A scratch buffer for each queue, for an operation that main and side queue may run at the same time.
final class QueueScratch implements AutoCloseable {
    private final CudaParts parts;
    private final String purpose;
    private final Map<CudaQueue, ScratchBuffer> buffers = new ConcurrentHashMap<>();

    QueueScratch(CudaParts parts, String purpose) {
        this.parts = parts;
        this.purpose = purpose;
    }

    /// Memory of the calling thread's queue, open in content, until the next call.
    Tensor tensor(DType dtype, int... extents) {
        return buffers.computeIfAbsent(parts.queue(), queue -> parts.scratch(purpose))
                .tensor(dtype, extents);
    }

    @Override
    public void close() {
        buffers.values().forEach(ScratchBuffer::close);
        buffers.clear();
    }
}
