package io.shadowkv.cuda.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// cuBLASLt: matrix products with a chosen algorithm. Methods have the names of the C functions;
/// handles and descriptors are plain longs. Thread-safe, except that one thread at a time may use a
/// descriptor.
public final class CublasLt {
    /// Bytes of a `cublasLtMatmulAlgo_t`.
    private static final int ALGORITHM_BYTES = 64;
    /// `cublasLtMatmulHeuristicResult_t`: algorithm, workspace bytes (long), state (int), and more.
    private static final int RESULT_BYTES = 96;

    private static final int RESULT_STATE = 72;
    private static final int SUCCESS = 0;
    private static final int NOT_SUPPORTED = 15;

    private final NativeLibrary library;
    private final LazyCalls calls;
    private final MethodHandle matmul;

    private CublasLt(NativeLibrary library) {
        this.library = library;
        this.calls = new LazyCalls(library);
        this.matmul = library.function(
                "cublasLtMatmul",
                JAVA_LONG,
                JAVA_LONG,
                ADDRESS,
                JAVA_LONG,
                JAVA_LONG,
                JAVA_LONG,
                JAVA_LONG,
                ADDRESS,
                JAVA_LONG,
                JAVA_LONG,
                JAVA_LONG,
                JAVA_LONG,
                ADDRESS,
                JAVA_LONG,
                JAVA_LONG,
                JAVA_LONG);
    }

    /// @param folder the only folder to search, or null for the usual places
    /// @throws NativeLibrary.LibraryMissingException if the library is missing
    public static CublasLt open(@Nullable Path folder) {
        return new CublasLt(NativeLibrary.open(List.of("libcublasLt.so.13", "libcublasLt.so.12"), folder));
    }

    public String file() {
        return library.file();
    }

    /// A handle for the thread's current context.
    public long cublasLtCreate() {
        return calls.out("cublasLtCreate");
    }

    public void cublasLtDestroy(long handle) {
        calls.call("cublasLtDestroy", handle);
    }

    /// @param type a `cudaDataType`
    /// @param leading elements between the starts of adjacent columns
    public long cublasLtMatrixLayoutCreate(int type, long rows, long columns, long leading) {
        return calls.out("cublasLtMatrixLayoutCreate", type, rows, columns, leading);
    }

    public void cublasLtMatrixLayoutDestroy(long layout) {
        calls.call("cublasLtMatrixLayoutDestroy", layout);
    }

    /// @param computeType a `cublasComputeType_t`
    /// @param scaleType a `cudaDataType`
    public long cublasLtMatmulDescCreate(int computeType, int scaleType) {
        return calls.out("cublasLtMatmulDescCreate", computeType, scaleType);
    }

    public void cublasLtMatmulDescDestroy(long descriptor) {
        calls.call("cublasLtMatmulDescDestroy", descriptor);
    }

    public void cublasLtMatmulDescSetAttribute(long descriptor, int attribute, int value) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment word = arena.allocateFrom(JAVA_INT, value);
            calls.call("cublasLtMatmulDescSetAttribute", descriptor, attribute, word, word.byteSize());
        }
    }

    public void cublasLtMatmulDescSetAttribute(long descriptor, int attribute, long value) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment word = arena.allocateFrom(JAVA_LONG, value);
            calls.call("cublasLtMatmulDescSetAttribute", descriptor, attribute, word, word.byteSize());
        }
    }

    public long cublasLtMatmulPreferenceCreate() {
        return calls.out("cublasLtMatmulPreferenceCreate");
    }

    public void cublasLtMatmulPreferenceDestroy(long preference) {
        calls.call("cublasLtMatmulPreferenceDestroy", preference);
    }

    public void cublasLtMatmulPreferenceSetAttribute(long preference, int attribute, int value) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment word = arena.allocateFrom(JAVA_INT, value);
            calls.call("cublasLtMatmulPreferenceSetAttribute", preference, attribute, word, word.byteSize());
        }
    }

    public void cublasLtMatmulPreferenceSetAttribute(long preference, int attribute, long value) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment word = arena.allocateFrom(JAVA_LONG, value);
            calls.call("cublasLtMatmulPreferenceSetAttribute", preference, attribute, word, word.byteSize());
        }
    }

    /// Algorithms for a product, in the library's order of preference; empty if it has none.
    ///
    /// @param layouts of A, B, C and D
    public List<byte[]> cublasLtMatmulAlgoGetHeuristic(
            long handle, long descriptor, long[] layouts, long preference, int most) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment results = arena.allocate((long) RESULT_BYTES * most, 8);
            MemorySegment count = arena.allocate(JAVA_INT);
            int status = calls.status(
                    "cublasLtMatmulAlgoGetHeuristic",
                    handle,
                    descriptor,
                    layouts[0],
                    layouts[1],
                    layouts[2],
                    layouts[3],
                    preference,
                    most,
                    results,
                    count);
            if (status == NOT_SUPPORTED) {
                return List.of();
            }
            calls.check("cublasLtMatmulAlgoGetHeuristic", status);
            List<byte[]> algorithms = new ArrayList<>();
            for (int i = 0; i < count.get(JAVA_INT, 0); i++) {
                MemorySegment result = results.asSlice((long) RESULT_BYTES * i, RESULT_BYTES);
                if (result.get(JAVA_INT, RESULT_STATE) == SUCCESS) {
                    algorithms.add(result.asSlice(0, ALGORITHM_BYTES).toArray(JAVA_BYTE));
                }
            }
            return algorithms;
        }
    }

    /// True if an algorithm that was chosen for another product supports this one.
    public boolean cublasLtMatmulAlgoCheck(
            long handle, long descriptor, long[] layouts, MemorySegment algorithm, long workspaceBytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment result = arena.allocate(RESULT_BYTES, 8);
            int status = calls.status(
                    "cublasLtMatmulAlgoCheck",
                    handle,
                    descriptor,
                    layouts[0],
                    layouts[1],
                    layouts[2],
                    layouts[3],
                    algorithm,
                    result);
            return status == SUCCESS && result.get(JAVA_LONG, ALGORITHM_BYTES) <= workspaceBytes;
        }
    }

    /// `D = alpha · op(A) · op(B) + beta · C`, enqueued.
    ///
    /// @param factors two floats, alpha and beta
    /// @param addresses of A, B, C and D
    /// @param layouts of A, B, C and D
    /// @param workspace address and bytes
    public void cublasLtMatmul(
            long handle,
            long descriptor,
            MemorySegment factors,
            long[] addresses,
            long[] layouts,
            MemorySegment algorithm,
            long[] workspace,
            long stream) {
        int status;
        try {
            status = (int) matmul.invokeExact(
                    handle,
                    descriptor,
                    factors,
                    addresses[0],
                    layouts[0],
                    addresses[1],
                    layouts[1],
                    factors.asSlice(4),
                    addresses[2],
                    layouts[2],
                    addresses[3],
                    layouts[3],
                    algorithm,
                    workspace[0],
                    workspace[1],
                    stream);
        } catch (Throwable t) {
            throw new CudaException("cublasLtMatmul could not be called: " + t, t);
        }
        calls.check("cublasLtMatmul", status);
    }
}
