package io.shadowkv.cli.pull;

import io.shadowkv.checkpoint.CheckpointException;
import io.shadowkv.cli.process.ByteSize;
import io.shadowkv.hub.PullListener;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/// Puts files into one folder of the data folder. A file is written under a temporary name in the
/// same folder and renamed when it is complete. Existing files with the same content are not
/// changed. For use by one thread.
final class DataPlacer {
    private static final int BUFFER_BYTES = 1 << 16;
    private static final int TAIL_BYTES = 256;
    private static final int SHOWN = 20;

    private final Path folder;
    private final PullListener listener;

    /// @param listener receives each file; an exception that it throws stops the work
    DataPlacer(Path folder, PullListener listener) {
        this.folder = folder;
        this.listener = listener;
    }

    /// Puts a file of the hub's cache here: as a hard link if the file system supports it,
    /// otherwise as a copy. To change such a file, replace it; writing into it would also change
    /// the file in the cache.
    void link(Path cached, String name) throws IOException {
        Path source = cached.toRealPath();
        if (isThere(source, name)) {
            return;
        }
        Path temporary = temporary(name);
        try {
            try {
                Files.createLink(temporary, source);
            } catch (IOException | UnsupportedOperationException otherDisk) {
                write(source, temporary, name);
            }
            show(temporary, name);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    /// Copies a file without a known checksum, if it begins and ends like JSON.
    void copy(Path source, String name) throws IOException {
        checkJson(source);
        if (isThere(source, name)) {
            return;
        }
        Path temporary = temporary(name);
        try {
            write(source, temporary, name);
            show(temporary, name);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    /// Extracts the named files from a ZIP archive. Length and checksum of each must match the
    /// archive's directory.
    ///
    /// @param names the names of the entries, with the name of the file for each
    /// @throws CheckpointException if the archive is damaged or does not contain the entries
    void extract(Path archive, Map<String, String> names) throws IOException {
        try (ZipFile zip = new ZipFile(archive.toFile())) {
            Map<ZipEntry, String> entries = new LinkedHashMap<>();
            List<String> missing = names.keySet().stream()
                    .filter(entry -> zip.getEntry(entry) == null)
                    .toList();
            if (!missing.isEmpty()) {
                throw new CheckpointException(archive + ": the archive has no " + String.join(", ", missing)
                        + ". Nothing was extracted; choose a repository or a revision that has them, or give the"
                        + " files with --from");
            }
            names.forEach((entry, name) -> entries.put(zip.getEntry(entry), name));
            // In floating point, because the sizes given by a damaged archive may overflow a long.
            checkSpace((long) entries.keySet().stream()
                    .filter(entry -> !Files.exists(folder.resolve(names.get(entry.getName()))))
                    .mapToDouble(ZipEntry::getSize)
                    .sum());
            for (Map.Entry<ZipEntry, String> entry : entries.entrySet()) {
                extract(zip, entry.getKey(), entry.getValue());
            }
        } catch (ZipException | EOFException e) {
            // The hub's cache contains links; a file is fetched again only if the target of its
            // link is deleted.
            throw new CheckpointException(
                    archive.toRealPath() + ": is not a complete ZIP archive (" + e.getMessage()
                            + "). Delete this file and pull again",
                    e);
        }
    }

    private void extract(ZipFile zip, ZipEntry entry, String name) throws IOException {
        Path target = folder.resolve(name);
        if (Files.isRegularFile(target) && Files.size(target) == entry.getSize() && crc(target) == entry.getCrc()) {
            listener.progress(name, entry.getSize(), entry.getSize());
            return;
        }
        Path temporary = temporary(name);
        try {
            long crc;
            try (InputStream in = zip.getInputStream(entry)) {
                crc = write(in, entry.getSize(), temporary, name);
            }
            if (Files.size(temporary) != entry.getSize() || crc != entry.getCrc()) {
                throw new ZipException("the content of " + entry.getName() + " does not match the archive's directory");
            }
            show(temporary, name);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    private boolean isThere(Path source, String name) throws IOException {
        Path target = folder.resolve(name);
        if (!Files.isRegularFile(target) || !Files.isSameFile(source, target) && Files.mismatch(source, target) >= 0) {
            return false;
        }
        listener.progress(name, Files.size(target), Files.size(target));
        return true;
    }

    private Path temporary(String name) throws IOException {
        Files.createDirectories(folder);
        return folder.resolve("." + name + "." + UUID.randomUUID() + ".tmp");
    }

    private void show(Path temporary, String name) throws IOException {
        Path target = folder.resolve(name);
        if (Files.exists(target)) {
            listener.note(target + ": had different content and is replaced");
        }
        Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private void write(Path source, Path target, String name) throws IOException {
        long bytes = Files.size(source);
        checkSpace(bytes);
        try (InputStream in = Files.newInputStream(source)) {
            write(in, bytes, target, name);
        }
        if (Files.size(target) != bytes) {
            throw new CheckpointException(source + ": changed while it was copied. Pull again");
        }
    }

    /// Writes at most the given number of bytes and one buffer, so that an entry that is larger
    /// than stated does not fill the disk. Returns the checksum.
    private long write(InputStream in, long bytes, Path target, String name) throws IOException {
        var crc = new CRC32();
        byte[] buffer = new byte[BUFFER_BYTES];
        try (FileChannel out = FileChannel.open(target, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            long done = 0;
            for (int count = in.read(buffer); count >= 0 && done <= bytes; count = in.read(buffer)) {
                crc.update(buffer, 0, count);
                append(out, ByteBuffer.wrap(buffer, 0, count), name);
                done += count;
                listener.progress(name, Math.min(done, bytes), bytes);
            }
            out.force(true);
        }
        return crc.getValue();
    }

    private void append(FileChannel out, ByteBuffer bytes, String name) throws IOException {
        try {
            while (bytes.hasRemaining()) {
                out.write(bytes);
            }
        } catch (IOException e) {
            throw new CheckpointException(
                    folder.resolve(name) + ": cannot be written (" + e.getMessage()
                            + "). Free some space, or choose another folder with --data-dir, and pull again",
                    e);
        }
    }

    private static long crc(Path file) throws IOException {
        var crc = new CRC32();
        byte[] buffer = new byte[BUFFER_BYTES];
        try (InputStream in = Files.newInputStream(file)) {
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                crc.update(buffer, 0, count);
            }
        }
        return crc.getValue();
    }

    private void checkSpace(long bytes) throws IOException {
        Files.createDirectories(folder);
        long usable = Files.getFileStore(folder).getUsableSpace();
        if (bytes > usable) {
            throw new CheckpointException(folder + ": the files need " + ByteSize.text(bytes) + ", the disk has "
                    + ByteSize.text(usable) + " free. Free some space, or choose another folder with --data-dir");
        }
    }

    /// Detects an error page sent in place of the file, and a truncated download.
    private static void checkJson(Path file) throws IOException {
        try (var in = new RandomAccessFile(file.toFile(), "r")) {
            byte[] head = new byte[(int) Math.min(TAIL_BYTES, in.length())];
            in.readFully(head);
            byte[] tail = new byte[head.length];
            in.seek(in.length() - tail.length);
            in.readFully(tail);
            String begin = text(head).stripLeading();
            String end = text(tail).stripTrailing();
            if (!begin.matches("(?s)[{\\[].*") || !end.matches("(?s).*[}\\]]")) {
                throw new CheckpointException(file + ": is not a complete JSON file: it begins with \""
                        + begin.substring(0, Math.min(SHOWN, begin.length())) + "\" and ends with \""
                        + end.substring(Math.max(0, end.length() - SHOWN)) + "\". Download it again");
            }
        }
    }

    private static String text(byte[] bytes) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        return text.startsWith("\uFEFF") ? text.substring(1) : text;
    }
}
