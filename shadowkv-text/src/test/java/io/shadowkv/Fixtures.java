package io.shadowkv;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.tukaani.xz.XZInputStream;

/// Expected values from independent implementations, unpacked once per build from
/// `testdata/golden-*.tar.xz`.
public final class Fixtures {
    private Fixtures() {}

    /// The folder of an unpacked archive.
    ///
    /// @param name `models`, `families`, `shadowkv`, `tokenizers`, `svd`, `minference` or `text`
    public static synchronized Path golden(String name) {
        try {
            Path archive = repository().resolve("testdata/golden-" + name + ".tar.xz");
            Path folder = Path.of("target", "golden", name).toAbsolutePath();
            Path done = folder.resolveSibling(name + "." + Files.size(archive) + ".done");
            Files.createDirectories(folder);
            // Other processes may run tests at the same time; the lock is released with the
            // channel.
            try (FileChannel channel = FileChannel.open(
                    folder.resolveSibling(name + ".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                channel.lock();
                if (!Files.exists(done)) {
                    unpack(archive, folder);
                    Files.createFile(done);
                }
            }
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The folder of the bundled model.
    public static Path needleModel() {
        return repository().resolve("models/needle-32k");
    }

    /// The root of the checkout: the nearest parent folder with `testdata`.
    public static Path repository() {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.isDirectory(folder.resolve("testdata"))) {
            folder = folder.getParent();
            if (folder == null) {
                throw new IllegalStateException(
                        "no folder testdata above " + Path.of("").toAbsolutePath());
            }
        }
        return folder;
    }

    private static void unpack(Path archive, Path folder) throws IOException {
        try (var tar =
                new TarArchiveInputStream(new XZInputStream(new BufferedInputStream(Files.newInputStream(archive))))) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                Path target = folder.resolve(entry.getName()).normalize();
                if (!target.startsWith(folder)) {
                    throw new IOException("entry " + entry.getName() + " leaves the folder");
                }
                if (entry.isDirectory()) {
                    Files.createDirectories(target);
                } else {
                    Files.createDirectories(target.getParent());
                    Files.copy(tar, target, StandardCopyOption.REPLACE_EXISTING);
                }
            }
        }
    }
}
