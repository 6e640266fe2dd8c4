package io.shadowkv.cuda.shadow;

import io.shadowkv.cuda.device.CudaQueue;
import io.shadowkv.cuda.device.Grid;
import io.shadowkv.cuda.device.KernelSource;
import io.shadowkv.cuda.ffi.CudaException;
import io.shadowkv.cuda.ffi.Cusolver;
import io.shadowkv.cuda.ffi.Cusolver.Symmetric;
import io.shadowkv.cuda.ffi.Cusolver.Workspace;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.KernelTypes;
import io.shadowkv.cuda.launch.ScratchBuffer;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;

/// Eigenvectors of symmetric matrices on one queue, in float or double. cuSOLVER computes either
/// all vectors or those of the largest eigenvalues; a large matrix takes the way that was faster
/// the first time. Used by one thread at a time.
public final class EigenSolver implements AutoCloseable {
    private static final int THREADS = 256;
    private static final int SCALING_BLOCKS = 128;
    /// Below this width, launches dominate the cost, and measuring is not worthwhile.
    private static final int LEAST_MEASURED_WIDTH = 512;

    private final CudaParts parts;
    private final CudaQueue queue;
    private final Cusolver library;
    private final long handle;
    private final long params;
    private final ScratchBuffer matrices;
    private final ScratchBuffer values;
    private final ScratchBuffer workspaces;
    /// Two ints: the bits of the largest element, and the solver's status.
    private final Tensor words;

    private final Map<Sizes, Boolean> isLargestFaster = new HashMap<>();

    EigenSolver(CudaParts parts, CudaQueue queue, Cusolver library) {
        this.parts = parts;
        this.queue = queue;
        this.library = library;
        parts.context().makeCurrent();
        this.handle = library.cusolverDnCreate();
        this.params = library.cusolverDnCreateParams();
        this.matrices = parts.scratch("eigenvectors");
        this.values = parts.scratch("eigenvalues");
        this.workspaces = parts.scratch("the eigensolver");
        this.words = parts.workScope().allocate(DType.I32, 2);
    }

    /// Computes the eigenvectors of the `count` largest eigenvalues, in ascending order of
    /// eigenvalue, each contiguous. Waits for the queue.
    ///
    /// @param gram F32 `[D, D]`, not changed
    /// @param type type of the computation, F32 or F64
    /// @return device address of `[count, D]` of that type, valid until the next solution
    long solve(Tensor gram, int count, DType type) {
        parts.context().makeCurrent();
        // The queue may have moved.
        library.cusolverDnSetStream(handle, queue.stream());
        Sizes sizes = new Sizes(gram.extent(0), count, type);
        Boolean known = isLargestFaster.get(sizes);
        if (known != null) {
            return solve(gram, sizes, known);
        }
        boolean isFaster = sizes.width() >= LEAST_MEASURED_WIDTH
                && count < sizes.width()
                && nanos(gram, sizes, true) < nanos(gram, sizes, false);
        isLargestFaster.put(sizes, isFaster);
        return solve(gram, sizes, isFaster);
    }

    /// Time of a solution in float by one of the two ways.
    public long nanos(Tensor gram, int count, boolean isLargestOnly) {
        library.cusolverDnSetStream(handle, queue.stream());
        return nanos(gram, new Sizes(gram.extent(0), count, DType.F32), isLargestOnly);
    }

    /// Measures the second run, because the first loads the library's kernels.
    private long nanos(Tensor gram, Sizes sizes, boolean isLargestOnly) {
        solve(gram, sizes, isLargestOnly);
        long start = System.nanoTime();
        solve(gram, sizes, isLargestOnly);
        return System.nanoTime() - start;
    }

    private long solve(Tensor gram, Sizes sizes, boolean isLargestOnly) {
        int width = sizes.width();
        int count = sizes.count();
        DType type = sizes.type();
        long matrix = parts.context().address(scaled(gram, type));
        var problem =
                new Symmetric(matrix, width, parts.context().address(values.tensor(type, width)), type == DType.F64);
        long info = parts.context().address(words) + Integer.BYTES;
        try (Arena arena = Arena.ofConfined()) {
            long[] bytes = isLargestOnly
                    ? library.cusolverDnXsyevdx_bufferSize(handle, params, problem, count)
                    : library.cusolverDnXsyevd_bufferSize(handle, params, problem);
            int pages = Math.toIntExact(Math.ceilDiv(Math.max(1, bytes[0]), 4096));
            long device = parts.context().address(workspaces.tensor(DType.U8, pages, 4096));
            MemorySegment host = arena.allocate(Math.max(1, bytes[1]), 64);
            var workspace = new Workspace(device, bytes[0], host, info);
            if (isLargestOnly) {
                library.cusolverDnXsyevdx(handle, params, problem, count, workspace);
            } else {
                library.cusolverDnXsyevd(handle, params, problem, workspace);
            }
            checkSolved(width, info, arena);
        }
        return isLargestOnly ? matrix : matrix + (long) (width - count) * width * type.bytes();
    }

    /// Makes a copy that the solver may overwrite, scaled so that its largest element is between 1
    /// and 2.
    private Tensor scaled(Tensor gram, DType type) {
        int width = gram.extent(0);
        Tensor copy = matrices.tensor(type, width, width);
        queue.zero(parts.context().address(words), Integer.BYTES);
        Grid grid = Grid.of(Math.clamp(Math.ceilDiv(gram.elements(), THREADS), 1, SCALING_BLOCKS), THREADS);
        String name = KernelTypes.name(type);
        parts.kernel(KernelSource.of("eigen_scale.cu", "largestElement").with("SCALED", name))
                .launch(queue, grid, gram, gram.elements(), words);
        parts.kernel(KernelSource.of("eigen_scale.cu", "scaleMatrix").with("SCALED", name))
                .launch(queue, grid, gram, gram.elements(), words, copy);
        return copy;
    }

    private void checkSolved(int width, long info, Arena arena) {
        MemorySegment status = arena.allocate(ValueLayout.JAVA_INT);
        // The copy holds a lock of the driver until the queue has come to it.
        queue.synchronize();
        queue.copy(status.address(), info, Integer.BYTES);
        queue.synchronize();
        if (status.get(ValueLayout.JAVA_INT, 0) != 0) {
            throw new CudaException("cuSOLVER found no eigenvectors of a gram matrix of width " + width + " (status "
                    + status.get(ValueLayout.JAVA_INT, 0)
                    + "): the keys hold NaN or infinities. Check the checkpoint and its type");
        }
    }

    @Override
    public void close() {
        parts.context().makeCurrent();
        library.cusolverDnDestroyParams(params);
        library.cusolverDnDestroy(handle);
        matrices.close();
        values.close();
        workspaces.close();
    }

    private record Sizes(int width, int count, DType type) {}
}
