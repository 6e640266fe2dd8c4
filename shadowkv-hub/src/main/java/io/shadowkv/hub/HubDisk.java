package io.shadowkv.hub;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/// What the hub's cache asks of the disk; a seam, so that tests can fill a disk or take its symbolic links away.
interface HubDisk {
    /// Bytes this user may still write to the file store of `folder`.
    long usableBytes(Path folder) throws IOException;

    /// A stream that appends to `file`, or replaces it. Not interruptible: what was received gets written.
    OutputStream write(Path file, boolean append) throws IOException;

    /// Makes `link` point to `target`.
    ///
    /// @throws UnsupportedOperationException or IOException where the file system or the user may not
    void symbolicLink(Path link, Path target) throws IOException;

    /// The disk as it is.
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
