package io.shadowkv.cuda.device;

import io.shadowkv.cuda.ffi.CudaException;
import io.shadowkv.cuda.ffi.Driver;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// A compiled kernel, loaded into the context. Launched by any thread; owned by [Kernels].
public final class Kernel {
    private static final int STATIC_SHARED_BYTES = 1;
    private static final int DYNAMIC_SHARED_BYTES = 8;
    private static final int LEAST_FOR_EARLY_LAUNCH = 90;
    private static final int DEFAULT_SHARED_BYTES = 48 * 1024;

    private final KernelSource source;
    private final CudaContext context;
    private final long function;
    private final int staticSharedBytes;
    private int sharedLimit;

    Kernel(KernelSource source, CudaContext context, long function) {
        this.source = source;
        this.context = context;
        this.function = function;
        this.staticSharedBytes = context.driver().cuFuncGetAttribute(STATIC_SHARED_BYTES, function);
        this.sharedLimit = DEFAULT_SHARED_BYTES - staticSharedBytes;
    }

    /// Blocks of this kernel that a multiprocessor runs at a time.
    public int blocksPerMultiprocessor(int threads, int sharedBytes) {
        allowShared(sharedBytes);
        return context.driver().cuOccupancyMaxActiveBlocksPerMultiprocessor(function, threads, (long) sharedBytes);
    }

    /// Enqueues a launch.
    ///
    /// @param arguments in the kernel's order: a [Tensor] gives its address (null a null pointer), a Long, Integer,
    ///     Float or Double itself, a Boolean an int, a MemorySegment the struct it holds
    public void launch(CudaQueue queue, Grid grid, Object... arguments) {
        launch(queue, grid, false, arguments);
    }

    /// The same, for kernels that wait themselves for what comes before (`overlap.cuh`): while a step is
    /// recorded, they may start when the kernel before has only begun to end. Nowhere else, since weights, which
    /// they fetch before they wait, might have been written just now; nor after a copy or an event of another
    /// queue, which are no kernels.
    public void launchEarly(CudaQueue queue, Grid grid, Object... arguments) {
        boolean isEarly = context.computeCapability() >= LEAST_FOR_EARLY_LAUNCH
                && context.recordings().isRecording()
                && queue.endsWithKernel();
        launch(queue, grid, isEarly, arguments);
    }

    private void launch(CudaQueue queue, Grid grid, boolean isEarly, Object[] arguments) {
        allowShared(grid.sharedBytes());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pointers = arena.allocate(ValueLayout.ADDRESS, Math.max(1, arguments.length));
            MemorySegment words = arena.allocate(8L * Math.max(1, arguments.length), 8);
            for (int i = 0; i < arguments.length; i++) {
                MemorySegment word = words.asSlice(8L * i, 8);
                pointers.setAtIndex(ValueLayout.ADDRESS, i, put(arguments[i], word));
            }
            context.makeCurrent();
            int[] blocks = {grid.x(), grid.y(), grid.z()};
            int[] threads = {grid.threads(), 1, 1};
            if (isEarly) {
                driver().cuLaunchKernelEx(function, blocks, threads, grid.sharedBytes(), queue.stream(), pointers);
            } else {
                driver().cuLaunchKernel(function, blocks, threads, grid.sharedBytes(), queue.stream(), pointers);
            }
            queue.launched();
        } catch (CudaException e) {
            throw new CudaException(e.getMessage() + " [kernel " + source + ", " + grid + "]", e);
        }
    }

    private MemorySegment put(Object argument, MemorySegment word) {
        switch (argument) {
            case null -> word.set(ValueLayout.JAVA_LONG, 0, 0);
            case Tensor tensor -> word.set(ValueLayout.JAVA_LONG, 0, context.address(tensor));
            case Long value -> word.set(ValueLayout.JAVA_LONG, 0, value);
            case Integer value -> word.set(ValueLayout.JAVA_INT, 0, value);
            case Boolean value -> word.set(ValueLayout.JAVA_INT, 0, value ? 1 : 0);
            case Float value -> word.set(ValueLayout.JAVA_FLOAT, 0, value);
            case Double value -> word.set(ValueLayout.JAVA_DOUBLE, 0, value);
            case MemorySegment struct -> {
                return struct;
            }
            default -> throw new IllegalArgumentException("a kernel takes no " + argument.getClass());
        }
        return word;
    }

    private synchronized void allowShared(int bytes) {
        if (bytes <= sharedLimit) {
            return;
        }
        if (bytes + staticSharedBytes > context.sharedBytesPerBlock()) {
            throw new CudaException(
                    "kernel " + source + " needs " + (bytes + staticSharedBytes) + " bytes of shared memory a block; "
                            + context.name() + " has " + context.sharedBytesPerBlock()
                            + ". Lower the head dim, the rank or the chunk size");
        }
        context.makeCurrent();
        driver().cuFuncSetAttribute(function, DYNAMIC_SHARED_BYTES, bytes);
        sharedLimit = bytes;
    }

    private Driver driver() {
        return context.driver();
    }
}
