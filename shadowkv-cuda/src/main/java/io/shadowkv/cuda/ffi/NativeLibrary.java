package io.shadowkv.cuda.ffi;

import io.shadowkv.op.BackendException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A shared library, found by file name in a given folder or in the usual places. It is never
/// unloaded, because NVIDIA's libraries do not support that.
public final class NativeLibrary {
    private static final Linker LINKER = Linker.nativeLinker();

    /// The folders where packages, the CUDA toolkit and containers put the libraries, in the order
    /// of the search.
    private static final List<String> FOLDERS = List.of(
            "/usr/local/nvidia/lib64",
            "/usr/local/cuda/lib64",
            "/usr/local/cuda/targets/x86_64-linux/lib",
            "/usr/local/cuda/targets/sbsa-linux/lib",
            "/usr/lib/x86_64-linux-gnu",
            "/usr/lib/aarch64-linux-gnu",
            "/lib/x86_64-linux-gnu",
            "/usr/lib64",
            "/usr/lib",
            "/opt/cuda/lib64",
            "/usr/lib/wsl/lib");

    private final String file;
    private final SymbolLookup symbols;

    private NativeLibrary(String file, SymbolLookup symbols) {
        this.file = file;
        this.symbols = symbols;
    }

    /// Opens the first of `names` that is found.
    ///
    /// @param names file names, the preferred version first
    /// @param folder the only folder to search, or null for the usual ones and the system's own
    ///     search
    /// @throws LibraryMissingException if none is found; the message has the places of the search
    /// @throws CudaException if the JVM denies native access to this module; the message has the
    ///     option that grants it
    public static NativeLibrary open(List<String> names, @Nullable Path folder) {
        List<String> failures = new ArrayList<>();
        for (String name : names) {
            for (String candidate : candidates(name, folder)) {
                try {
                    return new NativeLibrary(candidate, SymbolLookup.libraryLookup(candidate, Arena.global()));
                } catch (IllegalCallerException e) {
                    throw new CudaException(nativeAccessDenied(NativeLibrary.class.getModule()), e);
                } catch (IllegalArgumentException e) {
                    if (candidate.contains("/")) {
                        failures.add(candidate + " could not be loaded: " + e.getMessage());
                    }
                }
            }
        }
        throw new LibraryMissingException("found no " + String.join(" or ", names) + " in "
                + (folder == null ? "the usual folders or by the system's own search" : folder)
                + (failures.isEmpty() ? "" : "; " + String.join("; ", failures)));
    }

    static String nativeAccessDenied(Module caller) {
        String name = caller.isNamed() ? caller.getName() : "ALL-UNNAMED";
        return "this JVM does not allow " + (caller.isNamed() ? "the module " + name : "the class path")
                + " to call native code. Add --enable-native-access=" + name + " to the options of the JVM, before the"
                + " main class, and name all modules that need it in one list";
    }

    private static List<String> candidates(String name, @Nullable Path folder) {
        if (folder != null) {
            Path file = folder.resolve(name);
            return Files.exists(file) ? List.of(file.toString()) : List.of();
        }
        List<String> candidates = new ArrayList<>();
        for (String usual : FOLDERS) {
            Path file = Path.of(usual, name);
            if (Files.exists(file)) {
                candidates.add(file.toString());
            }
        }
        // The system's loader searches its cache and LD_LIBRARY_PATH for a bare name.
        candidates.add(name);
        return candidates;
    }

    /// The path or name that was opened.
    public String file() {
        return file;
    }

    /// True if the library has the function.
    boolean has(String function) {
        return symbols.find(function).isPresent();
    }

    /// A handle of a function that returns an int.
    ///
    /// @throws LibraryMissingException if this version of the library has no such function
    MethodHandle function(String name, MemoryLayout... parameters) {
        return bind(name, FunctionDescriptor.of(ValueLayout.JAVA_INT, parameters));
    }

    /// A handle of a function with any signature.
    MethodHandle bind(String name, FunctionDescriptor descriptor) {
        MemorySegment address = symbols.find(name)
                .orElseThrow(() -> new LibraryMissingException(
                        file + " has no function " + name + "; this engine needs another version of the library"));
        return LINKER.downcallHandle(address, descriptor);
    }

    /// Thrown when a library, or one of its functions, is missing.
    public static final class LibraryMissingException extends BackendException {
        private static final long serialVersionUID = 1L;

        LibraryMissingException(String message) {
            super(message);
        }
    }
}
