package io.shadowkv.cuda.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// cuDNN's graph API, `libcudnn.so.9`, as far as attention needs it. Handles and descriptors are plain longs.
///
/// A handle belongs to one thread at a time; calls work in the thread's current context.
public final class Cudnn {
    private static final int SUCCESS = 0;
    /// Statuses 3000 to 3999: right asked, not offered.
    private static final int NOT_SUPPORTED = 3;
    /// The first version whose attention aligns the causal mask to the last key.
    private static final long LEAST_VERSION = 90300;

    private final NativeLibrary library;
    private final long version;
    private final MethodHandle create;
    private final MethodHandle destroy;
    private final MethodHandle setStream;
    private final MethodHandle lastError;
    private final MethodHandle createDescriptor;
    private final MethodHandle destroyDescriptor;
    private final MethodHandle setAttribute;
    private final MethodHandle getAttribute;
    private final MethodHandle finalizeDescriptor;
    private final MethodHandle execute;

    private Cudnn(NativeLibrary library) {
        this.library = library;
        this.version = version(library);
        if (version < LEAST_VERSION) {
            throw new NativeLibrary.LibraryMissingException(
                    library.file() + " is cuDNN " + versionText() + "; prefill attention needs 9.3 or newer");
        }
        create = library.function("cudnnCreate", ADDRESS);
        destroy = library.function("cudnnDestroy", JAVA_LONG);
        setStream = library.function("cudnnSetStream", JAVA_LONG, JAVA_LONG);
        lastError = library.bind("cudnnGetLastErrorString", FunctionDescriptor.ofVoid(ADDRESS, JAVA_LONG));
        createDescriptor = library.function("cudnnBackendCreateDescriptor", JAVA_INT, ADDRESS);
        destroyDescriptor = library.function("cudnnBackendDestroyDescriptor", JAVA_LONG);
        setAttribute = library.function("cudnnBackendSetAttribute", JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS);
        getAttribute = library.function(
                "cudnnBackendGetAttribute", JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS, ADDRESS);
        finalizeDescriptor = library.function("cudnnBackendFinalize", JAVA_LONG);
        execute = library.function("cudnnBackendExecute", JAVA_LONG, JAVA_LONG, JAVA_LONG);
    }

    /// @throws NativeLibrary.LibraryMissingException if it is not installed or older than 9.3
    public static Cudnn open(@Nullable Path folder) {
        return new Cudnn(NativeLibrary.open(List.of("libcudnn.so.9"), folder));
    }

    private static long version(NativeLibrary library) {
        try {
            return (long) library.bind("cudnnGetVersion", FunctionDescriptor.of(JAVA_LONG))
                    .invokeExact();
        } catch (Throwable t) {
            throw broken("cudnnGetVersion", t);
        }
    }

    public String file() {
        return library.file();
    }

    /// Such as `9.14.0`.
    public String versionText() {
        return version / 10_000 + "." + version / 100 % 100 + "." + version % 100;
    }

    /// A handle for the current context.
    public long cudnnCreate() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_LONG);
            int status;
            try {
                status = (int) create.invokeExact(out);
            } catch (Throwable t) {
                throw broken("cudnnCreate", t);
            }
            check("cudnnCreate", status);
            return out.get(JAVA_LONG, 0);
        }
    }

    public void cudnnDestroy(long handle) {
        int status;
        try {
            status = (int) destroy.invokeExact(handle);
        } catch (Throwable t) {
            throw broken("cudnnDestroy", t);
        }
        check("cudnnDestroy", status);
    }

    public void cudnnSetStream(long handle, long stream) {
        int status;
        try {
            status = (int) setStream.invokeExact(handle, stream);
        } catch (Throwable t) {
            throw broken("cudnnSetStream", t);
        }
        check("cudnnSetStream", status);
    }

    /// @param type cudnnBackendDescriptorType_t
    public long cudnnBackendCreateDescriptor(int type) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_LONG);
            int status;
            try {
                status = (int) createDescriptor.invokeExact(type, out);
            } catch (Throwable t) {
                throw broken("cudnnBackendCreateDescriptor", t);
            }
            check("cudnnBackendCreateDescriptor(" + type + ")", status);
            return out.get(JAVA_LONG, 0);
        }
    }

    public void cudnnBackendDestroyDescriptor(long descriptor) {
        int status;
        try {
            status = (int) destroyDescriptor.invokeExact(descriptor);
        } catch (Throwable t) {
            throw broken("cudnnBackendDestroyDescriptor", t);
        }
        check("cudnnBackendDestroyDescriptor", status);
    }

    /// @param name cudnnBackendAttributeName_t
    /// @param type cudnnBackendAttributeType_t
    /// @param values `count` elements of it
    public void cudnnBackendSetAttribute(long descriptor, int name, int type, long count, MemorySegment values) {
        int status;
        try {
            status = (int) setAttribute.invokeExact(descriptor, name, type, count, values);
        } catch (Throwable t) {
            throw broken("cudnnBackendSetAttribute", t);
        }
        check("cudnnBackendSetAttribute(" + name + ")", status);
    }

    /// Elements that `values` was given, at most `count`.
    public long cudnnBackendGetAttribute(long descriptor, int name, int type, long count, MemorySegment values) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment given = arena.allocate(JAVA_LONG);
            int status;
            try {
                status = (int) getAttribute.invokeExact(descriptor, name, type, count, given, values);
            } catch (Throwable t) {
                throw broken("cudnnBackendGetAttribute", t);
            }
            check("cudnnBackendGetAttribute(" + name + ")", status);
            return Math.min(count, given.get(JAVA_LONG, 0));
        }
    }

    /// @param what the descriptor in words, for the message
    /// @throws RefusedException if cuDNN does not offer what the descriptor asks for
    public void cudnnBackendFinalize(long descriptor, String what) {
        int status;
        try {
            status = (int) finalizeDescriptor.invokeExact(descriptor);
        } catch (Throwable t) {
            throw broken("cudnnBackendFinalize", t);
        }
        check("cudnnBackendFinalize(" + what + ")", status);
    }

    public void cudnnBackendExecute(long handle, long plan, long variantPack) {
        int status;
        try {
            status = (int) execute.invokeExact(handle, plan, variantPack);
        } catch (Throwable t) {
            throw broken("cudnnBackendExecute", t);
        }
        check("cudnnBackendExecute", status);
    }

    private void check(String call, int status) {
        if (status == SUCCESS) {
            return;
        }
        String message = "%s of %s failed with status %d (%s)".formatted(call, library.file(), status, lastError());
        if (status / 1000 == NOT_SUPPORTED) {
            throw new RefusedException(message);
        }
        throw new CudaException(message + ". CUDNN_LOGLEVEL_DBG=2 CUDNN_LOGDEST_DBG=stderr tells more");
    }

    /// What went wrong last in this thread, in cuDNN's words.
    private String lastError() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocate(1024);
            try {
                lastError.invokeExact(text, text.byteSize());
            } catch (Throwable t) {
                throw broken("cudnnGetLastErrorString", t);
            }
            return text.getString(0).strip();
        }
    }

    private static CudaException broken(String function, Throwable cause) {
        return new CudaException(function + " could not be called: " + cause, cause);
    }

    /// cuDNN understands the request and has no engine for it: another implementation must compute it.
    public static final class RefusedException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        public RefusedException(String message) {
            super(message);
        }
    }
}
