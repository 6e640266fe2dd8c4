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

/// Loads the native code in the jar of the tokenizers library.
///
/// Does not use DJL's own loader, which keeps a cache under HOME, tries to download another build
/// if it finds a CUDA device, and sends requests on some clouds. Here the library is written to a
/// file in the temporary folder (`java.io.tmpdir`, 15 MB), loaded and deleted at once. The library
/// must be bound to the class loader of the jar, which is ours: both are on the class path, or both
/// on the module path.
final class NativeLibrary {
    /// The platforms, named as in the jar. The processor is not queried: the system's loader
    /// refuses a library for another processor, and the next one is tried.
    private static final List<String> PLATFORMS = List.of("linux-x86_64", "linux-aarch64", "osx-aarch64", "win-x86_64");

    private static final List<String> WINDOWS_COMPANIONS =
            List.of("libwinpthread-1.dll", "libgcc_s_seh-1.dll", "libstdc++-6.dll");

    private static final String FOLDER_ADVICE = ". Give the JVM a writable temporary folder that allows executables,"
            + " with 20 MB free: -Djava.io.tmpdir=FOLDER";

    private NativeLibrary() {}

    /// The result of the only load in the life of the class loader; the JVM does not allow another.
    private static final class Once {
        static final @Nullable String FAILURE = failure();

        private static @Nullable String failure() {
            try {
                return load(Files.createTempDirectory("shadowkv-tokenizers"));
            } catch (IOException e) {
                return "cannot make a folder in the temporary folder: " + e + FOLDER_ADVICE;
            }
        }
    }

    /// @throws TokenizerException if the library cannot be unpacked, or does not exist for this
    ///     machine
    static void load() {
        String failure = Once.FAILURE;
        if (failure != null) {
            throw new TokenizerException("the native tokenizers library is not available: " + failure);
        }
    }

    /// Unpacks the library into the folder, loads it, and deletes its files if possible.
    ///
    /// @return a description of the failure with what to do, or null
    static @Nullable String load(Path folder) {
        String name = System.mapLibraryName("tokenizers");
        List<String> refusals = new ArrayList<>();
        for (String platform : PLATFORMS) {
            try {
                if (load(folder, platform, name)) {
                    return null;
                }
            } catch (IOException e) {
                return "cannot unpack it to " + folder + ": " + e + FOLDER_ADVICE;
            } catch (IllegalCallerException e) {
                return "this JVM does not allow it to be loaded (" + e.getMessage() + "). Add"
                        + " --enable-native-access=ALL-UNNAMED to the options of the JVM, or on the module path"
                        + " --enable-native-access=io.shadowkv.text,ai.djl.tokenizers";
            } catch (UnsatisfiedLinkError e) {
                refusals.add(platform + ": " + e.getMessage());
            } finally {
                clear(folder);
            }
        }
        return refusals.isEmpty() ? "the jar does not contain " + name : String.join("; ", refusals) + FOLDER_ADVICE;
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
                    throw new IOException("the jar does not contain " + place + file);
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

    /// Unix allows deleting a loaded file; elsewhere it is deleted when the JVM ends.
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
