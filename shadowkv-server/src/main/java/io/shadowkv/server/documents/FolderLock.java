package io.shadowkv.server.documents;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/// Keeps a server from removing files that another one writes. Every server that saves holds a shared
/// lock on a file in the folder until it is closed or its process ends; leftovers are removed under an
/// exclusive one. Used under the folder's monitor, except for [#close].
final class FolderLock implements AutoCloseable {
    private final Path file;
    private volatile @Nullable FileChannel shared;

    FolderLock(Path folder) {
        this.file = folder.resolve(".lock");
    }

    /// Runs what removes leftovers, unless another server saves in the folder.
    void ifAlone(Runnable work) {
        if (shared != null) {
            return;
        }
        try (FileChannel channel = open()) {
            if (isAlone(channel)) {
                work.run();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isAlone(FileChannel channel) throws IOException {
        try {
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            // Another server of this process.
            return false;
        }
    }

    /// Holds the shared lock from now on. Waits while another server removes leftovers.
    void share() {
        if (shared != null) {
            return;
        }
        try {
            FileChannel channel = open();
            // Before the lock, so that close() ends the wait for it.
            shared = channel;
            lock(channel);
        } catch (IOException e) {
            close();
            throw new UncheckedIOException(e);
        }
    }

    private static void lock(FileChannel channel) throws IOException {
        try {
            FileLock _ = channel.lock(0, Long.MAX_VALUE, true);
        } catch (OverlappingFileLockException e) {
            // Another server of this process holds the same lock.
        }
    }

    private FileChannel open() throws IOException {
        return FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    @Override
    public void close() {
        FileChannel channel = shared;
        if (channel != null) {
            try {
                channel.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
