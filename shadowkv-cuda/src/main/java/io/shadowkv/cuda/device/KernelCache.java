package io.shadowkv.cuda.device;

import io.shadowkv.cuda.ffi.CudaException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A folder of compiled kernels. A file is a cubin, followed by a SHA-256 of the file's name and
/// the cubin, followed by [#MARK]. A file that is damaged, or that another program wrote, is
/// compiled again. Thread-safe; several processes may share a folder.
///
/// A fault of the folder never stops the program. It is reported once, as a warning, and kernels
/// are then compiled into memory only.
final class KernelCache {
    /// Ends each file. A later format gets another number.
    private static final byte[] MARK = "shadowkv-cubin-1".getBytes(StandardCharsets.US_ASCII);

    private static final int HASH_BYTES = 32;
    private static final int TRAILER_BYTES = HASH_BYTES + MARK.length;
    /// The largest cubin of this project has less than 1 MiB. Larger files are not read.
    private static final long MOST_BYTES = 64L << 20;

    private static final String TEMPORARY_PREFIX = "kernel-";
    private static final String TEMPORARY_SUFFIX = ".tmp";
    /// No write takes this long, so an older temporary file was left by a process that was killed.
    private static final Duration TEMPORARY_AGE = Duration.ofHours(6);

    private final Consumer<String> warnings;
    private volatile @Nullable Path folder;

    /// @param folder created if missing; null keeps nothing
    static KernelCache open(@Nullable Path folder) {
        System.Logger log = System.getLogger(KernelCache.class.getName());
        return new KernelCache(folder, message -> log.log(System.Logger.Level.WARNING, message));
    }

    /// @param warnings receives one line for each fault
    KernelCache(@Nullable Path folder, Consumer<String> warnings) {
        this.warnings = warnings;
        if (folder == null) {
            return;
        }
        try {
            String refusal = PrivateFolder.prepare(folder);
            if (refusal == null) {
                this.folder = folder;
                removeLeftovers(folder);
            } else {
                warnings.accept("the kernel cache is not used, and kernels are compiled in every run: " + refusal);
            }
        } catch (IOException e) {
            giveUp(folder, e);
        }
    }

    /// Returns a kernel that was loaded from its file, or compiled, loaded and written to its file.
    /// If the file is damaged, or `loader` refuses its contents, the kernel is compiled once and a
    /// warning says so.
    ///
    /// @param name file name without its ending; must identify everything that the cubin depends on
    /// @param loader makes the kernel of a cubin
    /// @throws CudaException if the kernel does not compile, or if `loader` refuses the compiled
    ///     one
    <T> T load(String name, Supplier<byte[]> compiler, Function<byte[], T> loader) {
        byte[] kept = read(name);
        if (kept != null) {
            try {
                return loader.apply(kept);
            } catch (CudaException e) {
                warnings.accept("the driver refuses the cached kernel " + file(name) + "; compiling it again ("
                        + e.getMessage() + ")");
            }
        }
        byte[] compiled = compiler.get();
        T kernel = loader.apply(compiled);
        write(name, compiled);
        return kernel;
    }

    /// The cubin of a file, or null if there is none or if the file cannot be used.
    private byte @Nullable [] read(String name) {
        Path file = file(name);
        if (file == null) {
            return null;
        }
        byte[] bytes;
        try (InputStream stream = Files.newInputStream(file)) {
            bytes = stream.readNBytes((int) MOST_BYTES);
        } catch (NoSuchFileException e) {
            return null;
        } catch (IOException e) {
            warnings.accept("the cached kernel " + file + " cannot be read; compiling it again (" + e + ")");
            return null;
        }
        byte[] cubin = cubinOf(name, bytes);
        if (cubin == null) {
            warnings.accept("the cached kernel " + file
                    + " is damaged, or was written by another program or version; compiling it again");
        }
        return cubin;
    }

    private static byte @Nullable [] cubinOf(String name, byte[] bytes) {
        int length = bytes.length - TRAILER_BYTES;
        if (length < 0) {
            return null;
        }
        byte[] cubin = Arrays.copyOf(bytes, length);
        return Arrays.equals(trailer(name, cubin), Arrays.copyOfRange(bytes, length, bytes.length)) ? cubin : null;
    }

    private static byte[] trailer(String name, byte[] cubin) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(name.getBytes(StandardCharsets.UTF_8));
            digest.update(cubin);
            return ByteBuffer.allocate(TRAILER_BYTES)
                    .put(digest.digest())
                    .put(MARK)
                    .array();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /// Writes a temporary file and renames it, so that no process reads part of a file.
    private void write(String name, byte[] cubin) {
        Path into = folder;
        Path file = file(name);
        if (into == null || file == null) {
            return;
        }
        try {
            // Only the owner can read it or write to it.
            Path temporary = Files.createTempFile(into, TEMPORARY_PREFIX, TEMPORARY_SUFFIX);
            try {
                Files.write(
                        temporary,
                        ByteBuffer.allocate(cubin.length + TRAILER_BYTES)
                                .put(cubin)
                                .put(trailer(name, cubin))
                                .array());
                Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(temporary);
            }
        } catch (IOException e) {
            giveUp(into, e);
        }
    }

    private void giveUp(Path unusable, IOException cause) {
        folder = null;
        warnings.accept("the kernel cache " + unusable + " cannot be used, and kernels are compiled in every run ("
                + cause + "). Give another folder with --kernel-cache");
    }

    private static void removeLeftovers(Path folder) throws IOException {
        FileTime limit = FileTime.from(Instant.now().minus(TEMPORARY_AGE));
        try (DirectoryStream<Path> files =
                Files.newDirectoryStream(folder, TEMPORARY_PREFIX + "*" + TEMPORARY_SUFFIX)) {
            for (Path file : files) {
                if (isOlder(file, limit)) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }

    private static boolean isOlder(Path file, FileTime limit) throws IOException {
        try {
            return Files.getLastModifiedTime(file).compareTo(limit) < 0;
        } catch (NoSuchFileException e) {
            // Another process has renamed or removed it.
            return false;
        }
    }

    private @Nullable Path file(String name) {
        Path from = folder;
        return from == null ? null : from.resolve(name + ".cubin");
    }
}
