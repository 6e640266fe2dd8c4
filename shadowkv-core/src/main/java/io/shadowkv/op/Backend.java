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

    /// Type of activations and logits between operations, for a model whose weights have `weightType`: F32 where
    /// a backend computes everything in float, else the weights' own.
    DType activationType(DType weightType);

    Operations operations();

    /// A new owner of memory: closing it frees everything allocated through it.
    MemoryScope newScope(String purpose);

    /// The same for an owner whose device memory is known beforehand, so that it can be taken in one piece.
    ///
    /// @param deviceBytes bytes that will be allocated in device memory
    MemoryScope newScope(String purpose, long deviceBytes);

    /// The tensor itself where this backend can read mapped host memory, else a copy owned by `scope`.
    Tensor place(Tensor host, MemoryScope scope);

    /// True if both places are the same memory, so that they share what is available.
    boolean isHostDevice();

    /// Bytes this backend may still allocate in `place`.
    long availableBytes(Place place);

    /// How fast each place is read. The same as long as the backend is open.
    MemoryRates rates();

    /// Rows of a prompt that are best computed at a time where nobody says otherwise: enough to keep the arithmetic
    /// busy, not more than activations should take.
    int prefillRows();

    /// Rows that a decode wave of `rows` rows is padded to, so that recorded steps serve several sizes; the rows
    /// added have slot -1 (see [StepRows]).
    int rowBucket(int rows);

    /// Enqueues what `step` enqueues. A backend that can records it when it first meets `key` and replays the
    /// recording from then on, without running `step`: under equal keys a step must enqueue the same operations
    /// on the same memory. Entries of slot tables and contents of tensors may change in between; memory that
    /// was freed ends the recordings that used it.
    ///
    /// @param key equal for steps that are the same but for contents; kept
    void replay(Object key, Runnable step);

    /// True if [#aside] runs beside the main queue, so that it is worth keeping what it reads until it is done.
    boolean hasSideQueue();

    /// Runs `work` and what it enqueues beside the main queue: after everything that was enqueued before, in the
    /// order of the calls, while later operations of the main queue go on. `work` may wait for results (downloads);
    /// it may run on another thread.
    Ticket aside(Runnable work);

    /// A new stopwatch for this backend's operations. The caller closes it.
    Stopwatch<?> newStopwatch();

    /// Waits until all work enqueued on the main queue is done; that of the side queue is waited for by its ticket.
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

    /// A piece of work of the side queue.
    interface Ticket {
        /// What is enqueued on the main queue from now on comes after this work. Hands on an exception of the work.
        void join();
    }

    /// Where memory lies: in device memory, or in the (larger) host memory that is fetched from.
    enum Place {
        DEVICE,
        HOST
    }
}
