package io.shadowkv.cuda.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// NVIDIA's run-time compiler, `libnvrtc.so`. Thread-safe.
public final class Nvrtc {
    private static final int SUCCESS = 0;
    private static final int COMPILATION_FAILED = 6;

    private final NativeLibrary library;
    private final MethodHandle version;
    private final MethodHandle createProgram;
    private final MethodHandle destroyProgram;
    private final MethodHandle compileProgram;
    private final MethodHandle getCubinSize;
    private final MethodHandle getCubin;
    private final MethodHandle getLogSize;
    private final MethodHandle getLog;

    private Nvrtc(NativeLibrary library) {
        this.library = library;
        version = library.function("nvrtcVersion", ADDRESS, ADDRESS);
        createProgram = library.function("nvrtcCreateProgram", ADDRESS, ADDRESS, ADDRESS, JAVA_INT, ADDRESS, ADDRESS);
        destroyProgram = library.function("nvrtcDestroyProgram", ADDRESS);
        compileProgram = library.function("nvrtcCompileProgram", JAVA_LONG, JAVA_INT, ADDRESS);
        getCubinSize = library.function("nvrtcGetCUBINSize", JAVA_LONG, ADDRESS);
        getCubin = library.function("nvrtcGetCUBIN", JAVA_LONG, ADDRESS);
        getLogSize = library.function("nvrtcGetProgramLogSize", JAVA_LONG, ADDRESS);
        getLog = library.function("nvrtcGetProgramLog", JAVA_LONG, ADDRESS);
    }

    /// @throws NativeLibrary.LibraryMissingException if the library is missing
    public static Nvrtc open(@Nullable Path folder) {
        return new Nvrtc(NativeLibrary.open(List.of("libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"), folder));
    }

    public String file() {
        return library.file();
    }

    /// Major and minor version.
    public int[] nvrtcVersion() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment both = arena.allocate(JAVA_INT, 2);
            check("nvrtcVersion", invoke(version, both, both.asSlice(4)));
            return both.toArray(JAVA_INT);
        }
    }

    /// A header. `name` is its name in an `#include`.
    public record Header(String name, String text) {}

    /// Compiles a source file to a cubin.
    ///
    /// @throws CudaException if the source does not compile; the message has the compiler's output
    public byte[] compile(String name, String source, List<Header> headers, List<String> options) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment program = arena.allocate(JAVA_LONG);
            check(
                    "nvrtcCreateProgram",
                    invoke(
                            createProgram,
                            program,
                            arena.allocateFrom(source),
                            arena.allocateFrom(name),
                            headers.size(),
                            strings(arena, headers.stream().map(Header::text).toList()),
                            strings(arena, headers.stream().map(Header::name).toList())));
            try {
                long handle = program.get(JAVA_LONG, 0);
                int status = invoke(compileProgram, handle, options.size(), strings(arena, options));
                if (status == COMPILATION_FAILED) {
                    throw new CudaException("kernel source " + name + " does not compile with " + options + " ("
                            + library.file() + "):\n" + log(arena, handle));
                }
                check("nvrtcCompileProgram", status);
                MemorySegment size = arena.allocate(JAVA_LONG);
                check("nvrtcGetCUBINSize", invoke(getCubinSize, handle, size));
                MemorySegment cubin = arena.allocate(size.get(JAVA_LONG, 0));
                check("nvrtcGetCUBIN", invoke(getCubin, handle, cubin));
                return cubin.toArray(JAVA_BYTE);
            } finally {
                check("nvrtcDestroyProgram", invoke(destroyProgram, program));
            }
        }
    }

    private String log(Arena arena, long program) {
        MemorySegment size = arena.allocate(JAVA_LONG);
        check("nvrtcGetProgramLogSize", invoke(getLogSize, program, size));
        MemorySegment text = arena.allocate(Math.max(1, size.get(JAVA_LONG, 0)));
        check("nvrtcGetProgramLog", invoke(getLog, program, text));
        return text.getString(0);
    }

    private static MemorySegment strings(Arena arena, List<String> texts) {
        MemorySegment pointers = arena.allocate(ADDRESS, Math.max(1, texts.size()));
        for (int i = 0; i < texts.size(); i++) {
            pointers.setAtIndex(ADDRESS, i, arena.allocateFrom(texts.get(i)));
        }
        return pointers;
    }

    private static int invoke(MethodHandle function, Object... arguments) {
        try {
            return (int) function.invokeWithArguments(arguments);
        } catch (Throwable t) {
            throw new CudaException("NVRTC could not be called: " + t, t);
        }
    }

    private void check(String function, int status) {
        if (status != SUCCESS) {
            throw new CudaException(
                    function + " of " + library.file() + " failed with status " + status + "; see nvrtc.h");
        }
    }
}
