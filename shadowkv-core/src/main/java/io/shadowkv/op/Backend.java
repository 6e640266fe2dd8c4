package io.shadowkv.op;

import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;

/// Memory, operations and a queue. Chosen once, at the edge of the program.
///
/// Operations enqueue on the backend's queue in call order; [#synchronize] waits for all of them. A backend is
/// used by one thread at a time (the engine's); allocation through different [MemoryScope]s is safe from any
/// thread.
public interface Backend extends AutoCloseable {
    /// Short name as the command line spells it: `cpu`, `reference`, `cuda`.
    String name();

    /// What runs, for people: vector width, threads, device.
    String description();

    /// Type of activations and logits between operations.
    DType activationType();

    Operations operations();

    /// A new owner of memory: closing it frees everything allocated through it.
    MemoryScope newScope(String purpose);

    /// The tensor itself where this backend can read mapped host memory, else a copy owned by `scope`.
    Tensor place(Tensor host, MemoryScope scope);

    /// True if both places are the same memory, so that they share what is available.
    boolean isHostDevice();

    /// Bytes this backend may still allocate in `place`.
    long availableBytes(Place place);

    /// Waits until all enqueued work is done.
    ///
    /// @throws IllegalStateException if an enqueued operation failed
    void synchronize();

    /// Copies ints to a tensor of I32, in queue order.
    void upload(int[] source, Tensor target);

    /// Waits, then copies a floating tensor to the host.
    float[] download(Tensor source);

    /// Waits, then copies an I32 tensor to the host.
    int[] downloadInts(Tensor source);

    /// Waits, then copies an I64 tensor to the host.
    long[] downloadLongs(Tensor source);

    @Override
    void close();

    /// Where memory lies: near the arithmetic, or in the (larger) host memory that is fetched from.
    enum Place {
        DEVICE,
        HOST
    }
}
