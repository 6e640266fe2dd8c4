package io.shadowkv.cuda.launch;

import io.shadowkv.cuda.device.CudaContext;
import io.shadowkv.cuda.device.CudaQueue;
import io.shadowkv.cuda.device.CudaScope;
import io.shadowkv.cuda.device.Kernel;
import io.shadowkv.cuda.device.KernelSource;
import io.shadowkv.op.MemoryScope;
import java.util.function.Function;

/// What the operations of this backend share.
///
/// @param mirrors device copies of slot tables
/// @param newScope makes a new owner of memory from its purpose
/// @param workScope owner of buffers that live as long as the backend
/// @param pendingFetches what reads attended values waits for
public record CudaParts(
        CudaContext context,
        SlotMirrors mirrors,
        Function<String, MemoryScope> newScope,
        CudaScope workScope,
        PendingFetches pendingFetches) {
    public Kernel kernel(KernelSource source) {
        return context.kernels().get(source);
    }

    /// The calling thread's queue.
    public CudaQueue queue() {
        return context.queue();
    }

    /// A buffer that grows.
    public ScratchBuffer scratch(String purpose) {
        return new ScratchBuffer(purpose, newScope);
    }

    /// Multiprocessors that a kernel whose blocks all run at a time can have: fetches that are under way keep some.
    public int freeMultiprocessors() {
        return context.multiprocessors() - (pendingFetches.isAny() ? PendingFetches.HOST_BLOCKS : 0);
    }
}
