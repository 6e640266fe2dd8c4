package io.shadowkv.cuda.ffi;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// cuSOLVER's dense symmetric eigensolvers. Methods have the names of the C functions. One thread
/// at a time may use a handle.
public final class Cusolver {
    private static final int WITH_VECTORS = 1;
    private static final int RANGE_OF_INDICES = 1002;
    private static final int LOWER = 0;

    private final NativeLibrary library;
    private final LazyCalls calls;

    private Cusolver(NativeLibrary library) {
        this.library = library;
        this.calls = new LazyCalls(library);
    }

    /// @param folder the only folder to search, or null for the usual places
    /// @throws NativeLibrary.LibraryMissingException if the library is missing
    public static Cusolver open(@Nullable Path folder) {
        return new Cusolver(NativeLibrary.open(List.of("libcusolver.so.12", "libcusolver.so.11"), folder));
    }

    public String file() {
        return library.file();
    }

    /// A handle for the thread's current context.
    public long cusolverDnCreate() {
        return calls.out("cusolverDnCreate");
    }

    public void cusolverDnDestroy(long handle) {
        calls.call("cusolverDnDestroy", handle);
    }

    public void cusolverDnSetStream(long handle, long stream) {
        calls.call("cusolverDnSetStream", handle, stream);
    }

    public long cusolverDnCreateParams() {
        return calls.out("cusolverDnCreateParams");
    }

    public void cusolverDnDestroyParams(long params) {
        calls.call("cusolverDnDestroyParams", params);
    }

    /// Bytes of workspace on the device and on the host for all eigenvectors.
    public long[] cusolverDnXsyevd_bufferSize(long handle, long params, Symmetric problem) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment both = arena.allocate(JAVA_LONG, 2);
            calls.call(
                    "cusolverDnXsyevd_bufferSize",
                    handle,
                    params,
                    WITH_VECTORS,
                    LOWER,
                    problem.width(),
                    problem.type(),
                    problem.matrix(),
                    problem.width(),
                    problem.type(),
                    problem.values(),
                    problem.type(),
                    both,
                    both.asSlice(8));
            return both.toArray(JAVA_LONG);
        }
    }

    /// Overwrites the matrix with all eigenvectors, in ascending order of eigenvalue, each
    /// contiguous.
    public void cusolverDnXsyevd(long handle, long params, Symmetric problem, Workspace workspace) {
        calls.call(
                "cusolverDnXsyevd",
                handle,
                params,
                WITH_VECTORS,
                LOWER,
                problem.width(),
                problem.type(),
                problem.matrix(),
                problem.width(),
                problem.type(),
                problem.values(),
                problem.type(),
                workspace.device(),
                workspace.deviceBytes(),
                workspace.host(),
                workspace.host().byteSize(),
                workspace.info());
    }

    /// Bytes of workspace on the device and on the host for the eigenvectors of the `count` largest
    /// eigenvalues.
    public long[] cusolverDnXsyevdx_bufferSize(long handle, long params, Symmetric problem, int count) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment words = arena.allocate(JAVA_LONG, 5);
            calls.call(
                    "cusolverDnXsyevdx_bufferSize",
                    handle,
                    params,
                    WITH_VECTORS,
                    RANGE_OF_INDICES,
                    LOWER,
                    problem.width(),
                    problem.type(),
                    problem.matrix(),
                    problem.width(),
                    words.asSlice(16),
                    words.asSlice(24),
                    problem.width() - count + 1,
                    problem.width(),
                    words.asSlice(32),
                    problem.type(),
                    problem.values(),
                    problem.type(),
                    words,
                    words.asSlice(8));
            return new long[] {words.getAtIndex(JAVA_LONG, 0), words.getAtIndex(JAVA_LONG, 1)};
        }
    }

    /// Writes the eigenvectors of the `count` largest eigenvalues to the start of the matrix, in
    /// ascending order of eigenvalue, each contiguous.
    public void cusolverDnXsyevdx(long handle, long params, Symmetric problem, int count, Workspace workspace) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment words = arena.allocate(JAVA_LONG, 3);
            calls.call(
                    "cusolverDnXsyevdx",
                    handle,
                    params,
                    WITH_VECTORS,
                    RANGE_OF_INDICES,
                    LOWER,
                    problem.width(),
                    problem.type(),
                    problem.matrix(),
                    problem.width(),
                    words,
                    words.asSlice(8),
                    problem.width() - count + 1,
                    problem.width(),
                    words.asSlice(16),
                    problem.type(),
                    problem.values(),
                    problem.type(),
                    workspace.device(),
                    workspace.deviceBytes(),
                    workspace.host(),
                    workspace.host().byteSize(),
                    workspace.info());
        }
    }

    /// A symmetric matrix on the device, of floats or doubles.
    ///
    /// @param matrix address of `[width, width]`; overwritten
    /// @param values address of `[width]`, for the eigenvalues
    public record Symmetric(long matrix, long width, long values, boolean isDouble) {
        /// `cudaDataType` of all elements.
        private int type() {
            return isDouble ? 1 : 0;
        }
    }

    /// The memory that a solver works in.
    ///
    /// @param device address
    /// @param info address of an int on the device, which is 0 after a success
    public record Workspace(long device, long deviceBytes, MemorySegment host, long info) {}
}
