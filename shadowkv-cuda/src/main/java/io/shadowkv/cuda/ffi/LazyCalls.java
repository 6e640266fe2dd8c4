package io.shadowkv.cuda.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntFunction;

/// Calls of a library's functions outside the decode step. A function's signature is taken from its
/// arguments (int, long, byte, memory), and its result is an int status. Thread-safe.
final class LazyCalls {
    private static final int SUCCESS = 0;

    private final NativeLibrary library;
    private final IntFunction<String> explanation;
    private final Map<String, MethodHandle> handles = new ConcurrentHashMap<>();

    LazyCalls(NativeLibrary library) {
        this(
                library,
                status -> "in " + library.file() + ". Check that the driver supports the library's version, and that"
                        + " the device has memory left");
    }

    /// @param explanation returns the text that follows a status in a message
    LazyCalls(NativeLibrary library, IntFunction<String> explanation) {
        this.library = library;
        this.explanation = explanation;
    }

    /// Calls and returns the status.
    int status(String function, Object... arguments) {
        try {
            return (int) handles.computeIfAbsent(function, name -> library.function(name, layouts(arguments)))
                    .invokeWithArguments(arguments);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable t) {
            throw broken(function, t);
        }
    }

    /// @throws CudaException if the status is not 0
    void call(String function, Object... arguments) {
        check(function, status(function, arguments));
    }

    /// Calls with a pointer to a long before the arguments, and returns the long that the function
    /// wrote.
    long out(String function, Object... arguments) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_LONG);
            call(function, withFirst(out, arguments));
            return out.get(JAVA_LONG, 0);
        }
    }

    /// Like [#out], for an int.
    int outInt(String function, Object... arguments) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_INT);
            call(function, withFirst(out, arguments));
            return out.get(JAVA_INT, 0);
        }
    }

    private static Object[] withFirst(MemorySegment out, Object[] arguments) {
        Object[] all = new Object[arguments.length + 1];
        all[0] = out;
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        return all;
    }

    void check(String function, int status) {
        if (status != SUCCESS) {
            throw new CudaException(function + " failed with status " + status + " " + explanation.apply(status));
        }
    }

    static CudaException broken(String function, Throwable cause) {
        return new CudaException(function + " could not be called: " + cause, cause);
    }

    private static MemoryLayout[] layouts(Object[] arguments) {
        MemoryLayout[] layouts = new MemoryLayout[arguments.length];
        for (int i = 0; i < layouts.length; i++) {
            layouts[i] = switch (arguments[i]) {
                case Integer ignored -> JAVA_INT;
                case Long ignored -> JAVA_LONG;
                case Byte ignored -> JAVA_BYTE;
                case MemorySegment ignored -> ADDRESS;
                default -> throw new IllegalArgumentException("a native call cannot take a " + arguments[i].getClass());
            };
        }
        return layouts;
    }
}
