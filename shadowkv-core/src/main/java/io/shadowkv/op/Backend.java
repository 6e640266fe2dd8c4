package io.shadowkv.op;

import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import org.jspecify.annotations.Nullable;

/// Memory, operations and a queue of one device. The application chooses a backend once, when it
/// starts.
///
/// Operations enqueue on the backend's queue in call order; [#synchronize] waits for all of them. A
/// backend is used by one thread at a time (the engine's); different threads may allocate through
/// different [MemoryScope]s at the same time.
public interface Backend extends AutoCloseable {
    /// Short name as the command line spells it: `cpu`, `reference`, `cuda`.
    String name();

    /// Human-readable description: vector width, threads, device.
    String description();

    /// Type of activations and logits between operations, for a model whose weights have
    /// `weightType`: F32 if the backend computes everything in float, otherwise the type of the
    /// weights.
    DType activationType(DType weightType);

    Operations operations();

    /// Returns a new owner of memory; closing it frees everything allocated through it.
    MemoryScope newScope(String purpose);

    /// Returns a new owner of memory whose total device memory is known beforehand, so that the
    /// backend can reserve it as one block.
    ///
    /// @param deviceBytes bytes that will be allocated in device memory
    MemoryScope newScope(String purpose, long deviceBytes);

    /// Returns the tensor itself if this backend can read mapped host memory, otherwise a copy
    /// owned by `scope`.
    Tensor place(Tensor host, MemoryScope scope);

    /// Returns a quantised weight in a form that this backend's operations read, without decoding
    /// it: the weight itself if this backend can read mapped host memory, otherwise a copy owned by
    /// `scope`. Returns null if the operations have no kernel for its format; the caller then
    /// decodes it.
    @Nullable
    Weight placeQuantised(Weight host, MemoryScope scope);

    /// True if both places are the same memory and therefore share what is available.
    boolean isHostDevice();

    /// Bytes this backend may still allocate in `place`.
    long availableBytes(Place place);

    /// How fast each place is read. Constant while the backend is open.
    MemoryRates rates();

    /// Default number of prefill rows (rows of a prompt computed at a time): enough to use the
    /// processor fully while activations stay small.
    int prefillRows();

    /// Number of rows that a decode wave of `rows` rows is padded to, so that one recorded step
    /// serves several sizes. The added rows have slot -1 (see [StepRows]).
    int rowBucket(int rows);

    /// Enqueues what `step` enqueues. A backend that supports recording records the step at the
    /// first use of `key` and afterwards replays the recording without running `step`. Steps with
    /// equal keys must therefore enqueue the same operations on the same memory. Entries of slot
    /// tables and contents of tensors may change in between. Freeing memory discards the recordings
    /// that use it.
    ///
    /// @param key equal for steps that differ in contents only; retained
    void replay(Object key, Runnable step);

    /// True if [#aside] runs concurrently with the main queue, so that callers benefit from keeping
    /// its inputs until it completes.
    boolean hasSideQueue();

    /// Runs `work` and what it enqueues on the side queue: after everything enqueued so far, in the
    /// order of the calls, and concurrently with later operations of the main queue. `work` may
    /// wait for results (downloads) and may run on another thread.
    Ticket aside(Runnable work);

    /// True if this backend can divide its processors between the main queue and the reading queue
    /// ([#divide]).
    boolean isDivisible();

    /// Divides the processors between two queues from now on, or ends the division. Work that was
    /// enqueued before is not affected.
    ///
    /// @param readingShare share of the processors for the reading queue, from 0 (the main queue has
    ///     all of them) to 1 (exclusive). The device rounds it; each queue has some
    /// @throws UnsupportedOperationException if the share is not 0 and this backend is not divisible
    void divide(double readingShare);

    /// Runs `work` and what it enqueues on the reading queue: after everything enqueued so far, and
    /// concurrently with later operations of the main queue. `work` may wait for results and may use
    /// the side queue; it may run on another thread. Only while the device is divided.
    Ticket enqueueReading(Runnable work);

    /// Returns a new stopwatch for this backend's operations. The caller must close it.
    Stopwatch<?> newStopwatch();

    /// Waits until all work enqueued on the main queue is done. To wait for work on the side queue,
    /// use its [Ticket].
    ///
    /// @throws IllegalStateException if an enqueued operation failed
    void synchronize();

    /// Copies ints to an I32 tensor, in queue order.
    void upload(int[] source, Tensor target);

    /// Waits, then copies a floating tensor to the host.
    float[] download(Tensor source);

    /// Waits, then copies an I32 tensor to the host.
    int[] downloadInts(Tensor source);

    /// Waits, then copies an I64 tensor to the host.
    long[] downloadLongs(Tensor source);

    @Override
    void close();

    /// A piece of work on the side queue or the reading queue.
    interface Ticket {
        /// Work that has ended without a failure.
        Ticket DONE = new Ticket() {
            @Override
            public boolean isDone() {
                return true;
            }

            @Override
            public void join() {
                // Nothing is under way.
            }
        };

        /// True if the work has ended, with or without a failure. Work that ends with a download has
        /// ended on the device as well.
        boolean isDone();

        /// Orders everything that the calling thread enqueues from now on after this work. Rethrows an
        /// exception of the work.
        void join();
    }

    /// How fast a backend reads device and host memory, in bytes per second. The backend measures the
    /// rates when it is opened.
    ///
    /// @param device reads of device memory
    /// @param link reads of host memory by operations; infinite if device and host memory are the
    ///     same
    record MemoryRates(double device, double link) {
        /// Rates of a backend whose device and host memory are the same: there is no link.
        public static final MemoryRates ONE_MEMORY = new MemoryRates(1, Double.POSITIVE_INFINITY);

        public MemoryRates {
            if (!(device > 0 && link > 0)) {
                throw new IllegalArgumentException(
                        "rates of " + device + " and " + link + " bytes/s; both must be positive");
            }
        }

        /// Time per byte over the link divided by time per byte of device memory; 0 if there is no
        /// link.
        public double linkCost() {
            return device / link;
        }
    }

    /// Where memory lies: in device memory, or in host memory, which is larger and from which
    /// operations fetch.
    enum Place {
        DEVICE,
        HOST
    }
}
