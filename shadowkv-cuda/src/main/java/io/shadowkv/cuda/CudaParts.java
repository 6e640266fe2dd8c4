package io.shadowkv.cuda;

import io.shadowkv.op.MemoryScope;
import java.util.function.Function;

/// What the operations of this backend share.
///
/// @param mirrors device copies of slot tables
/// @param newScope makes a new owner of memory from its purpose
/// @param workScope owner of buffers that live as long as the backend
/// @param pendingFetches what reads attended values waits for
record CudaParts(
        CudaContext context,
        SlotMirrors mirrors,
        Function<String, MemoryScope> newScope,
        CudaScope workScope,
        PendingFetches pendingFetches) {
    Kernel kernel(KernelSource source) {
        return context.kernels().get(source);
    }

    /// The calling thread's queue.
    CudaQueue queue() {
        return context.queue();
    }

    /// A buffer that grows.
    ScratchBuffer scratch(String purpose) {
        return new ScratchBuffer(purpose, newScope);
    }

    /// Multiprocessors that a kernel whose blocks all run at a time can have: fetches that are under way keep some.
    int freeMultiprocessors() {
        return context.multiprocessors() - (pendingFetches.isAny() ? ValueFetch.HOST_BLOCKS : 0);
    }
}
