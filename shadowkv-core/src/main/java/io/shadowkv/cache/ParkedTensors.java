package io.shadowkv.cache;

import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// Copies of device tensors in host memory, while the device memory serves other sequences.
///
/// They lie one after the other in blocks of one size, so that a backend that page-locks host
/// memory can use the same blocks again for another sequence.
public final class ParkedTensors implements AutoCloseable {
    private static final int BLOCK_BYTES = 16 << 20;
    private static final int ALIGNMENT = 64;

    private final Backend backend;
    private final MemoryScope scope;
    private final List<Tensor> blocks = new ArrayList<>();

    private ParkedTensors(Backend backend, MemoryScope scope) {
        this.backend = backend;
        this.scope = scope;
    }

    /// Bytes of host memory that copies of tensors take.
    public static long bytes(List<Tensor> tensors) {
        long bytes = tensors.stream().mapToLong(ParkedTensors::aligned).sum();
        return bytes <= BLOCK_BYTES ? bytes : Math.ceilDiv(bytes, (long) BLOCK_BYTES) * BLOCK_BYTES;
    }

    private static long aligned(Tensor tensor) {
        return Math.ceilDiv(tensor.byteSize(), (long) ALIGNMENT) * ALIGNMENT;
    }

    /// Copies tensors. Waits for the backend.
    ///
    /// @param purpose what the memory is for; used in messages
    /// @throws io.shadowkv.op.BackendMemoryException if the host has too little memory; nothing is
    ///     allocated then
    public static ParkedTensors of(Backend backend, String purpose, List<Tensor> tensors) {
        var parked = new ParkedTensors(backend, backend.newScope(purpose));
        try {
            long bytes = bytes(tensors);
            for (long at = 0; at < bytes; at += BLOCK_BYTES) {
                int length = (int) Math.min(BLOCK_BYTES, bytes - at);
                parked.blocks.add(parked.scope.allocate(Backend.Place.HOST, DType.U8, length));
            }
            parked.copy(tensors, true);
            return parked;
        } catch (RuntimeException e) {
            parked.close();
            throw e;
        }
    }

    /// Copies the contents back. Waits for the backend.
    ///
    /// @param tensors tensors of the same types and extents, in the same order
    public void restore(List<Tensor> tensors) {
        copy(tensors, false);
    }

    private void copy(List<Tensor> tensors, boolean parks) {
        long at = 0;
        for (Tensor tensor : tensors) {
            copy(tensor, at, parks);
            at += aligned(tensor);
        }
        backend.synchronize();
    }

    /// @param at byte offset of the copy in the blocks, a multiple of the alignment
    private void copy(Tensor tensor, long at, boolean parks) {
        long elements = tensor.elements();
        int elementBytes = tensor.dtype().bytes();
        for (long done = 0; done < elements; ) {
            long position = at + done * elementBytes;
            Tensor block = blocks.get((int) (position / BLOCK_BYTES));
            long offset = position % BLOCK_BYTES;
            int count = (int) Math.min(elements - done, (BLOCK_BYTES - offset) / elementBytes);
            Tensor own = new Tensor(
                    tensor.dtype(),
                    Shape.of(count),
                    tensor.memory(),
                    tensor.byteOffset() + done * elementBytes);
            Tensor copy = new Tensor(
                    tensor.dtype(), Shape.of(count), block.memory(), block.byteOffset() + offset);
            backend.operations().dense().copy(parks ? own : copy, parks ? copy : own);
            done += count;
        }
    }

    /// Bytes of host memory.
    public long bytes() {
        return scope.bytes(Backend.Place.HOST);
    }

    @Override
    public void close() {
        scope.close();
    }
}
