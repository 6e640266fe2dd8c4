package io.shadowkv.text.tokenizer;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import io.shadowkv.text.TokenizerException;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Loads the native code that the tokenizers' jar carries.
///
/// DJL's own loader is passed by: it keeps a cache under HOME, tries to download another build where it sees a
/// CUDA device, and calls out on some clouds. Here the library goes to a file in the temporary folder
/// (`java.io.tmpdir`, 15 MB), is loaded and deleted at once. The library must be bound to the class loader of
/// the jar, which is ours: both are on the class path, or both on the module path.
final class NativeLibrary {
    /// Processors by platform library name. The processor's name is not asked for: a library of another kind is
    /// refused by the system's loader, and the next is tried.
    private static final List<String> PLATFORMS = List.of("linux-x86_64", "linux-aarch64", "osx-aarch64", "win-x86_64");

    private static final List<String> WINDOWS_COMPANIONS =
            List.of("libwinpthread-1.dll", "libgcc_s_seh-1.dll", "libstdc++-6.dll");

    private NativeLibrary() {}

    /// Loaded once for the life of the class loader, as the JVM allows.
    private static final class Once {
        static final @Nullable String FAILURE = failure();

        private static @Nullable String failure() {
            try {
                return load(Files.createTempDirectory("shadowkv-tokenizers"));
            } catch (IOException e) {
                return "cannot make a folder in the temporary folder: " + e;
            }
        }
    }

    /// @throws TokenizerException if the library cannot be unpacked, or there is none for this machine
    static void load() {
        String failure = Once.FAILURE;
        if (failure != null) {
            throw new TokenizerException("the native tokenizers library is not available: " + failure
                    + ". Give the JVM a temporary folder that is writable and may hold programs,"
                    + " with 20 MB free: -Djava.io.tmpdir=FOLDER");
        }
    }

    /// Unpacks into the folder, loads, and deletes what can be deleted.
    ///
    /// @return what went wrong, or null
    static @Nullable String load(Path folder) {
        String name = System.mapLibraryName("tokenizers");
        List<String> refusals = new ArrayList<>();
        for (String platform : PLATFORMS) {
            try {
                if (load(folder, platform, name)) {
                    return null;
                }
            } catch (IOException e) {
                return "cannot unpack it to " + folder + ": " + e;
            } catch (UnsatisfiedLinkError e) {
                refusals.add(platform + ": " + e.getMessage());
            } finally {
                clear(folder);
            }
        }
        return refusals.isEmpty() ? "the jar has none named " + name : String.join("; ", refusals);
    }

    private static boolean load(Path folder, String platform, String name) throws IOException {
        String place = "/native/lib/" + platform + "/cpu/";
        if (TokenizersLibrary.class.getResource(place + name) == null) {
            return false;
        }
        List<String> names = new ArrayList<>(platform.startsWith("win") ? WINDOWS_COMPANIONS : List.of());
        names.add(name);
        Files.createDirectories(folder);
        for (String file : names) {
            Path target = folder.resolve(file);
            try (InputStream stream = TokenizersLibrary.class.getResourceAsStream(place + file)) {
                if (stream == null) {
                    throw new IOException("the jar lacks " + place + file);
                }
                unpack(stream, target);
            }
            System.load(target.toString());
        }
        return true;
    }

    /// Writes through a stream that an interruption does not close: the outcome of the first try is kept for good, so a
    /// thread that happens to be interrupted must not spoil it for all.
    private static void unpack(InputStream stream, Path target) throws IOException {
        try (OutputStream out = new FileOutputStream(target.toFile())) {
            stream.transferTo(out);
        }
    }

    /// A loaded file may be deleted on Unix; where it may not, it goes when the JVM ends.
    private static void clear(Path folder) {
        try (var files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                if (!file.toFile().delete()) {
                    file.toFile().deleteOnExit();
                }
            }
        } catch (IOException e) {
            folder.toFile().deleteOnExit();
            return;
        }
        if (!folder.toFile().delete()) {
            folder.toFile().deleteOnExit();
        }
    }
}
