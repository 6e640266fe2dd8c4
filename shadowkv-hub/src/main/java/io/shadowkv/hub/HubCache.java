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
/// models--ORG--NAME/refs/main                     the commit a branch stood for when it was pulled
/// models--ORG--NAME/blobs/ETAG                    content, complete and verified
/// models--ORG--NAME/blobs/ETAG.incomplete         content still arriving
/// models--ORG--NAME/snapshots/COMMIT/config.json  -> ../../blobs/ETAG
/// .locks/models--ORG--NAME/                       locks of running pulls
/// ```
///
/// A dataset's is `datasets--ORG--NAME`.
///
/// Names are checked before they come here ([HubNames]). Safe to share between threads and processes: what exists
/// under its final name is complete.
final class HubCache {
    private final Path root;
    private final String folderName;
    private final Path folder;
    private final HubDisk disk;

    /// @param root the folder that holds the folders of repositories
    /// @param folderName the repository's, such as `models--ORG--NAME`
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

    /// Whether a file is in a snapshot with its content.
    boolean holds(String commit, String file) {
        return Files.isRegularFile(snapshot(commit).resolve(file));
    }

    /// The snapshot of a branch, tag or commit, if a pull of it ended well; asks no server.
    Optional<Path> cached(String revision) {
        return commit(revision).filter(commit -> holds(commit, "config.json")).map(this::snapshot);
    }

    /// The same if it also has one whole set of weights: other programs make snapshots of a few files.
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

    /// Names of the files in a snapshot that have their content.
    private static Set<String> names(Path snapshot) {
        try (Stream<Path> files = Files.list(snapshot)) {
            return files.filter(Files::isRegularFile)
                    .map(file -> file.getFileName().toString())
                    .collect(Collectors.toSet());
        } catch (IOException e) {
            throw HubException.io("cannot list " + snapshot, e);
        }
    }

    /// Remembers what `revision` stands for.
    void writeRef(String revision, String commit) throws IOException {
        if (!revision.equals(commit)) {
            AtomicFiles.writeString(folder.resolve("refs").resolve(revision), commit);
        }
    }

    /// Puts a file into a snapshot: as a relative symbolic link where the system allows, else as a hard link or a
    /// copy.
    void link(String commit, String file, String etag) throws IOException {
        Path link = snapshot(commit).resolve(file);
        Path blob = blob(etag);
        Path folder = Objects.requireNonNull(link.getParent(), "a snapshot lies in a folder");
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

    /// Makes sure that a disk with `missingBytes` to come has the room.
    ///
    /// @throws HubException if it has not
    void checkSpace(long missingBytes) throws IOException {
        long usable = disk.usableBytes(folder);
        if (missingBytes > usable) {
            throw new HubException(folder + ": the files to fetch need " + missingBytes + " bytes, the disk has "
                    + usable + " left. Free " + (missingBytes - usable)
                    + " bytes, or name another folder (the hub's cache: HF_HOME)");
        }
    }

    HubDisk disk() {
        return disk;
    }

    /// Creates the folders and takes the lock of this repository.
    ///
    /// @throws HubException if another pull holds it
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

    /// Held while a pull runs; the system releases it if the process dies.
    record Lock(FileChannel channel) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            channel.close();
        }
    }

    /// Bytes of a file, 0 if there is none.
    static long size(Path file) throws IOException {
        return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) ? Files.size(file) : 0;
    }
}
