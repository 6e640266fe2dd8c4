package io.shadowkv.op;

import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;

/// Owner of backend memory. A model has one and each sequence has one; a decode step allocates
/// none. Counts the bytes it holds.
public interface MemoryScope extends AutoCloseable {
    /// Allocates a new tensor filled with zeros.
    ///
    /// @throws BackendMemoryException if the memory is not available; nothing is allocated then
    Tensor allocate(Backend.Place place, DType dtype, int... extents);

    default Tensor allocate(DType dtype, int... extents) {
        return allocate(Backend.Place.DEVICE, dtype, extents);
    }

    /// Bytes currently allocated in `place`.
    long bytes(Backend.Place place);

    /// Frees all memory; later use of its tensors fails. Idempotent.
    @Override
    void close();
}
