package io.shadowkv.cuda.device;

import io.shadowkv.cuda.ffi.HostPages;
import io.shadowkv.op.BackendProvider.BackendOptions;
import java.lang.foreign.MemorySegment;

/// Measures how long page-locked memory takes to allocate, and how fast it is copied. The prefill
/// of the first sequence waits for both.
///
///     java … io.shadowkv.cuda.device.PinnedMemoryBench [GIBIBYTES]
public final class PinnedMemoryBench {
    private PinnedMemoryBench() {}

    public static void main(String[] args) {
        long bytes = (args.length > 0 ? Long.parseLong(args[0]) : 4) << 30;
        CudaContext context = CudaContext.open(BackendOptions.DEFAULT);
        var pages = new HostPages();
        for (int run = 0; run < 2; run++) {
            long start = System.nanoTime();
            MemorySegment block = pages.map(bytes);
            if (block == null) {
                throw new IllegalStateException("the system has no " + bytes + " bytes");
            }
            report("map and touch", bytes, start);
            start = System.nanoTime();
            boolean isLocked = context.driver().cuMemHostRegister(block);
            report("lock (" + isLocked + ")", bytes, start);
            start = System.nanoTime();
            pages.zero(block);
            report("zero", bytes, start);
            long device = context.driver().cuMemAlloc(bytes);
            start = System.nanoTime();
            context.mainQueue().copy(device, block.address(), bytes);
            context.mainQueue().synchronize();
            report("copy to the device", bytes, start);
            start = System.nanoTime();
            context.mainQueue().copy(block.address(), device, bytes);
            context.mainQueue().synchronize();
            report("copy to the host", bytes, start);
            start = System.nanoTime();
            context.mainQueue().copy(block.address(), block.address() + bytes / 2, bytes / 2);
            context.mainQueue().synchronize();
            report("copy within the host", bytes / 2, start);
            context.driver().cuMemFree(device);
            start = System.nanoTime();
            context.driver().cuMemHostUnregister(block);
            pages.unmap(block);
            report("unlock and unmap", bytes, start);
        }
        context.close();
    }

    private static void report(String what, long bytes, long start) {
        double seconds = (System.nanoTime() - start) / 1e9;
        System.out.printf("%-22s %6.3f s, %6.2f GB/s%n", what, seconds, bytes / seconds / 1e9);
    }
}
