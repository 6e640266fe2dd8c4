package io.shadowkv.cuda.launch;

import io.shadowkv.cuda.device.CudaContext;
import io.shadowkv.cuda.device.CudaQueue;
import io.shadowkv.cuda.device.CudaScope;
import io.shadowkv.cuda.device.Kernel;
import io.shadowkv.cuda.device.KernelSource;
import io.shadowkv.op.MemoryScope;
import java.util.function.Function;

/// The objects that the operations of this backend share.
///
/// @param mirrors device copies of slot tables
/// @param newScope makes a new owner of memory; its argument is the purpose
/// @param workScope owner of buffers that live as long as the backend
/// @param pendingFetches the fetches that attention must wait for
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

    /// A new buffer that grows when more is requested.
    public ScratchBuffer scratch(String purpose) {
        return new ScratchBuffer(purpose, newScope);
    }

    /// Number of multiprocessors for a kernel whose blocks all run at the same time. Fetches in
    /// progress occupy the others.
    public int freeMultiprocessors() {
        int all = context.multiprocessors();
        return all - (pendingFetches.isAny() ? hostBlocks(PendingFetches.HOST_BLOCKS) : 0);
    }

    /// Number of blocks that read host memory: as many as are wanted, but at most one on every second
    /// multiprocessor of the calling thread's queue.
    public int hostBlocks(int wanted) {
        return Math.min(wanted, Math.max(1, context.multiprocessors() / 2));
    }
}
