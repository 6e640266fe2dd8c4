package io.shadowkv.hub;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The folder of one repository in the standard hub cache, shared with other programs:
///
/// ```
/// models--ORG--NAME/refs/main                     the commit of a branch when it was pulled
/// models--ORG--NAME/blobs/ETAG                    content, complete and verified
/// models--ORG--NAME/blobs/ETAG.incomplete         content being downloaded
/// models--ORG--NAME/snapshots/COMMIT/config.json  -> ../../blobs/ETAG
/// .locks/models--ORG--NAME/                       locks of running pulls
/// ```
///
/// The folder of a dataset is `datasets--ORG--NAME`.
///
/// The caller has checked all names with [HubNames]. Safe for use by several threads and processes:
/// a file with its final name is complete.
final class HubCache {
    private final Path root;
    private final String folderName;
    private final Path folder;
    private final HubDisk disk;

    /// @param root the folder that contains the folders of repositories
    /// @param folderName the folder of the repository, such as `models--ORG--NAME`
    HubCache(Path root, String folderName, HubDisk disk) {
        this.root = root;
        this.folderName = folderName;
        this.folder = root.resolve(folderName);
        this.disk = disk;
    }

    Path folder() {
        return folder;
    }

    Path blob(String etag) {
        return folder.resolve("blobs").resolve(etag);
    }

    Path incomplete(String etag) {
        return folder.resolve("blobs").resolve(etag + ".incomplete");
    }

    Path snapshot(String commit) {
        return folder.resolve("snapshots").resolve(commit);
    }

    /// True if a snapshot has a file with its content.
    boolean holds(String commit, String file) {
        return Files.isRegularFile(snapshot(commit).resolve(file));
    }

    /// The snapshot of a branch, tag or commit, if a pull of it completed; contacts no server.
    Optional<Path> cached(String revision) {
        return commit(revision)
                .filter(commit -> holds(commit, "config.json") || HubNames.hasGguf(names(snapshot(commit))))
                .map(this::snapshot);
    }

    /// Like [#cached], for a snapshot in which each pattern matches a file.
    Optional<Path> matching(String revision, List<String> patterns) {
        return cached(revision).filter(folder -> HubNames.matchesAll(patterns, names(folder)));
    }

    /// Like [#cached], for a snapshot with a complete set of weights; other programs create
    /// snapshots of a few files.
    Optional<Path> whole(String revision) {
        return cached(revision).filter(folder -> HubNames.isWholeModel(names(folder)));
    }

    /// The snapshot of a branch, tag or commit, if it has these files.
    Optional<Path> holding(String revision, List<String> files) {
        return commit(revision)
                .filter(commit -> files.stream().allMatch(file -> holds(commit, file)))
                .map(this::snapshot);
    }

    private Optional<String> commit(String revision) {
        String commit = revision;
        Path ref = folder.resolve("refs").resolve(revision);
        try {
            if (Files.isRegularFile(ref)) {
                commit = Files.readString(ref).strip();
            }
        } catch (IOException e) {
            throw HubException.io("cannot read " + ref, e);
        }
        return HubNames.isCommit(commit) ? Optional.of(commit) : Optional.empty();
    }

    /// Names of the files of a snapshot whose content is present.
    private static Set<String> names(Path snapshot) {
        if (!Files.isDirectory(snapshot)) {
            return Set.of();
        }
        try (Stream<Path> files = Files.list(snapshot)) {
            return files.filter(Files::isRegularFile)
                    .map(file -> file.getFileName().toString())
                    .collect(Collectors.toSet());
        } catch (IOException e) {
            throw HubException.io("cannot list " + snapshot, e);
        }
    }

    /// Records the commit of `revision`.
    void writeRef(String revision, String commit) throws IOException {
        if (!revision.equals(commit)) {
            AtomicFiles.writeString(folder.resolve("refs").resolve(revision), commit);
        }
    }

    /// Puts a file into a snapshot: as a relative symbolic link if the system supports it,
    /// otherwise as a hard link or a copy.
    void link(String commit, String file, String etag) throws IOException {
        Path link = snapshot(commit).resolve(file);
        Path blob = blob(etag);
        Path folder = Objects.requireNonNull(link.getParent(), "a snapshot is in a folder");
        Files.createDirectories(folder);
        Path temporary = link.resolveSibling("." + link.getFileName() + "." + UUID.randomUUID() + ".tmp");
        try {
            try {
                disk.symbolicLink(temporary, folder.relativize(blob));
            } catch (IOException | UnsupportedOperationException noSymbolicLinks) {
                linkOrCopy(temporary, blob);
            }
            AtomicFiles.move(temporary, link);
        } finally {
            AtomicFiles.discard(temporary);
        }
    }

    private static void linkOrCopy(Path temporary, Path blob) throws IOException {
        try {
            Files.createLink(temporary, blob);
        } catch (IOException | UnsupportedOperationException noHardLinks) {
            Files.copy(blob, temporary);
        }
    }

    /// Checks that the disk has space for `missingBytes`.
    ///
    /// @throws HubException if it does not
    void checkSpace(long missingBytes) throws IOException {
        long usable = disk.usableBytes(folder);
        if (missingBytes > usable) {
            throw new HubException(folder + ": the files to download need " + missingBytes + " bytes, the disk has "
                    + usable + " left. Free " + (missingBytes - usable)
                    + " bytes, or choose another folder (the hub's cache: HF_HOME)");
        }
    }

    HubDisk disk() {
        return disk;
    }

    /// Creates the folders and takes the lock of this repository.
    ///
    /// @throws HubException if another pull has the lock
    Lock lock() throws IOException {
        Path file = root.resolve(".locks").resolve(folderName).resolve("shadowkv-pull.lock");
        Files.createDirectories(file.getParent());
        Files.createDirectories(folder.resolve("blobs"));
        FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = null;
        try {
            lock = tryLock(channel);
            if (lock == null) {
                throw new HubException(folder + ": another pull of this repository is running (lock " + file
                        + "). Wait for it to end");
            }
            return new Lock(channel);
        } finally {
            if (lock == null) {
                channel.close();
            }
        }
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException heldInThisProcess) {
            return null;
        }
    }

    /// The lock of a running pull; the system releases it if the process ends.
    record Lock(FileChannel channel) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            channel.close();
        }
    }

    /// Size of a file in bytes; 0 if it does not exist.
    static long size(Path file) throws IOException {
        return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) ? Files.size(file) : 0;
    }
}
