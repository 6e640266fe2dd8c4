package io.shadowkv.hub;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/// The disk operations of the cache; an interface so that tests can simulate a full disk or missing
/// symbolic links.
interface HubDisk {
    /// Bytes that this user may write to the file store of `folder`.
    long usableBytes(Path folder) throws IOException;

    /// A stream that appends to `file` or replaces it. Not interruptible, so that received bytes
    /// are written.
    OutputStream write(Path file, boolean append) throws IOException;

    /// Makes `link` point to `target`.
    ///
    /// @throws UnsupportedOperationException or IOException if the file system or the user's rights
    ///     do not allow it
    void symbolicLink(Path link, Path target) throws IOException;

    /// The real disk.
    static HubDisk real() {
        return new HubDisk() {
            @Override
            public long usableBytes(Path folder) throws IOException {
                return Files.getFileStore(folder).getUsableSpace();
            }

            @Override
            public OutputStream write(Path file, boolean append) throws IOException {
                return new FileOutputStream(file.toFile(), append);
            }

            @Override
            public void symbolicLink(Path link, Path target) throws IOException {
                Files.createSymbolicLink(link, target);
            }
        };
    }
}
