package io.shadowkv.op;

import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;

/// Owner of backend memory: one for a model, one for a sequence, none for a step. Counts what it holds.
public interface MemoryScope extends AutoCloseable {
    /// A new tensor, contents zero.
    ///
    /// @throws BackendMemoryException if the memory is not available; nothing was allocated
    Tensor allocate(Backend.Place place, DType dtype, int... extents);

    default Tensor allocate(DType dtype, int... extents) {
        return allocate(Backend.Place.DEVICE, dtype, extents);
    }

    /// Bytes allocated and not freed, by place.
    long bytes(Backend.Place place);

    /// Frees everything; later uses of its tensors fail. Idempotent.
    @Override
    void close();
}
