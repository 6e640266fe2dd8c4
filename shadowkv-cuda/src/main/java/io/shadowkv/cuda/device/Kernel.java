package io.shadowkv.cuda.device;

import io.shadowkv.cuda.ffi.CudaException;
import io.shadowkv.cuda.ffi.Driver;
import io.shadowkv.cuda.ffi.LaunchAttribute;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// A compiled kernel, loaded into the context. Any thread may launch it; [Kernels] owns it.
public final class Kernel {
    private static final int STATIC_SHARED_BYTES = 1;
    private static final int DYNAMIC_SHARED_BYTES = 8;
    private static final int LEAST_FOR_EARLY_LAUNCH = 90;
    private static final int DEFAULT_SHARED_BYTES = 48 * 1024;

    private final KernelSource source;
    private final CudaContext context;
    private final long function;
    private final int staticSharedBytes;
    private final Map<BlockSize, Integer> residentBlocks = new ConcurrentHashMap<>();
    private int sharedLimit;

    Kernel(KernelSource source, CudaContext context, long function) {
        this.source = source;
        this.context = context;
        this.function = function;
        this.staticSharedBytes = context.driver().cuFuncGetAttribute(STATIC_SHARED_BYTES, function);
        this.sharedLimit = DEFAULT_SHARED_BYTES - staticSharedBytes;
    }

    /// Blocks of this kernel that a multiprocessor runs at the same time.
    public int blocksPerMultiprocessor(int threads, int sharedBytes) {
        return residentBlocks.computeIfAbsent(new BlockSize(threads, sharedBytes), size -> {
            allowShared(sharedBytes);
            return driver().cuOccupancyMaxActiveBlocksPerMultiprocessor(function, threads, (long) sharedBytes);
        });
    }

    /// Dynamic shared memory that a block of this kernel may have, in bytes.
    public int mostSharedBytes() {
        return context.sharedBytesPerBlock() - staticSharedBytes;
    }

    /// Enqueues a launch.
    ///
    /// @param arguments in the kernel's order. A [Tensor] passes its address (null passes a null
    ///     pointer), a Long, Integer, Float or Double passes itself, a Boolean passes an int, and a
    ///     MemorySegment passes the struct that it holds
    public void launch(CudaQueue queue, Grid grid, @Nullable Object... arguments) {
        launch(queue, grid, Set.of(), arguments);
    }

    /// Enqueues a launch of a kernel that itself waits for the work before it (`overlap.cuh`).
    /// While a step is recorded, such a kernel may start as soon as the preceding kernel begins to
    /// end.
    ///
    /// Otherwise it starts after the preceding work has ended: outside a recording, because the
    /// kernel reads weights before it waits, and these may have just been written; after a copy or
    /// an event of another queue, because these are not kernels.
    public void launchEarly(CudaQueue queue, Grid grid, @Nullable Object... arguments) {
        launch(queue, grid, isEarly(queue) ? Set.of(LaunchAttribute.EARLY_START) : Set.of(), arguments);
    }

    /// Enqueues a launch like [#launchEarly], of a kernel whose blocks wait for each other. The
    /// launch is cooperative, so that the device runs all blocks at the same time, whatever else it
    /// runs.
    ///
    /// @throws CudaException if the device cannot run that many blocks at the same time
    public void launchTogether(CudaQueue queue, Grid grid, @Nullable Object... arguments) {
        Residency.check(
                source.toString(),
                grid,
                blocksPerMultiprocessor(grid.threads(), grid.sharedBytes()),
                context.multiprocessors(),
                context.name());
        Set<LaunchAttribute> attributes = isEarly(queue)
                ? Set.of(LaunchAttribute.COOPERATIVE, LaunchAttribute.EARLY_START)
                : Set.of(LaunchAttribute.COOPERATIVE);
        launch(queue, grid, attributes, arguments);
    }

    private boolean isEarly(CudaQueue queue) {
        return context.computeCapability() >= LEAST_FOR_EARLY_LAUNCH
                && context.recordings().isRecording()
                && queue.endsWithKernel();
    }

    private void launch(CudaQueue queue, Grid grid, Set<LaunchAttribute> attributes, @Nullable Object[] arguments) {
        allowShared(grid.sharedBytes());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pointers = arena.allocate(ValueLayout.ADDRESS, Math.max(1, arguments.length));
            MemorySegment words = arena.allocate(8L * Math.max(1, arguments.length), 8);
            for (int i = 0; i < arguments.length; i++) {
                MemorySegment word = words.asSlice(8L * i, 8);
                pointers.setAtIndex(ValueLayout.ADDRESS, i, put(arguments[i], word));
            }
            context.makeCurrent();
            if (attributes.isEmpty()) {
                int[] blocks = {grid.x(), grid.y(), grid.z()};
                int[] threads = {grid.threads(), 1, 1};
                driver().cuLaunchKernel(function, blocks, threads, grid.sharedBytes(), queue.stream(), pointers);
            } else {
                driver().cuLaunchKernelEx(function, grid.config(queue.stream(), attributes), pointers);
            }
            queue.launched();
        } catch (CudaException e) {
            throw new CudaException(e.getMessage() + " [kernel " + source + ", " + grid + "]", e);
        }
    }

    private MemorySegment put(@Nullable Object argument, MemorySegment word) {
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
            default -> throw new IllegalArgumentException("a kernel cannot take a " + argument.getClass());
        }
        return word;
    }

    private synchronized void allowShared(int bytes) {
        if (bytes <= sharedLimit) {
            return;
        }
        if (bytes > mostSharedBytes()) {
            throw new CudaException("kernel " + source + " needs " + (bytes + staticSharedBytes)
                    + " bytes of shared memory in a block; "
                    + context.name() + " has " + context.sharedBytesPerBlock()
                    + ". Lower the head dim, the rank or the chunk size");
        }
        context.makeCurrent();
        driver().cuFuncSetAttribute(function, DYNAMIC_SHARED_BYTES, bytes);
        sharedLimit = bytes;
    }

    private record BlockSize(int threads, int sharedBytes) {}

    private Driver driver() {
        return context.driver();
    }
}
