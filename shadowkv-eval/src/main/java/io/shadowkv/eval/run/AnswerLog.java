package io.shadowkv.eval.run;

import io.shadowkv.eval.Json;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;

/// Answers in a file, one JSON object on each line, written to disk before the next question is
/// asked.
///
/// Answers that are appended together are kept or lost together: every line of such a group except
/// the last ends with a space, and an incomplete group after an interruption is removed when the
/// file is opened again. For one thread and one process: a file that is open cannot be opened a
/// second time.
public final class AnswerLog implements AutoCloseable {

    /// Marks the end of a line whose group continues on the next line.
    private static final char MORE = ' ';

    private final Path file;
    private final RandomAccessFile disk;
    private final Map<AnswerRecord.Key, AnswerRecord> answers = new LinkedHashMap<>();

    private AnswerLog(Path file, RandomAccessFile disk) {
        this.file = file;
        this.disk = disk;
    }

    /// Opens a log, which is created if it does not exist, and reads its answers.
    ///
    /// @throws UncheckedIOException if it cannot be read
    /// @throws IllegalArgumentException if it cannot be written, is open elsewhere, or a line is
    ///     not an answer
    public static AnswerLog open(Path file) {
        RandomAccessFile disk = writable(file);
        try {
            try {
                lock(disk.getChannel(), file);
                var log = new AnswerLog(file, disk);
                log.load();
                return log;
            } catch (IOException | RuntimeException e) {
                disk.close();
                throw e;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static RandomAccessFile writable(Path file) {
        try {
            Path parent = file.toAbsolutePath().getParent();
            if (parent != null) {
                Files.createDirectories(parent);
            }
            // Says why, where it cannot be opened; the other class does not.
            FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)
                    .close();
            // An interruption closes a channel in the middle of a write, but not this.
            return new RandomAccessFile(file.toFile(), "rw");
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    file + " cannot be written (" + reason(e) + "). Give a folder that is writable", e);
        }
    }

    private static String reason(IOException problem) {
        return switch (problem) {
            case FileAlreadyExistsException e -> e.getFile() + " is a file, not a folder";
            case AccessDeniedException e -> "access to " + e.getFile() + " is denied";
            case NoSuchFileException e -> e.getFile() + " cannot be created";
            default -> String.valueOf(problem.getMessage());
        };
    }

    private static void lock(FileChannel channel, Path file) throws IOException {
        boolean isLocked;
        try {
            // The lock is beyond any file size: on systems where locks block readers, the answers
            // stay readable.
            isLocked = channel.tryLock(Long.MAX_VALUE - 1, 1, false) != null;
        } catch (OverlappingFileLockException _) {
            isLocked = false;
        }
        if (!isLocked) {
            throw new IllegalArgumentException(file + " is being written by another run. Wait until it ends, or give"
                    + " another folder; one run uses several devices with workers");
        }
    }

    /// Reads the answers of a file, in their order, without changing it: another process may still
    /// be writing. An incomplete last line is ignored; of two lines with one key the later one
    /// counts.
    ///
    /// @throws UncheckedIOException if it cannot be read
    /// @throws IllegalArgumentException if a line is not an answer
    public static Collection<AnswerRecord> read(Path file) {
        try {
            byte[] bytes = Files.readAllBytes(file);
            return parse(file, bytes, wholeLines(bytes)).values();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void load() throws IOException {
        byte[] bytes = bytes();
        int whole = wholeLines(bytes);
        answers.putAll(parse(file, bytes, whole));
        if (disk.length() > whole) {
            disk.setLength(whole);
        }
        disk.seek(whole);
    }

    /// Reads the whole file through the channel itself: on some systems the lock is lost as soon as
    /// the process closes any other handle of the file.
    private byte[] bytes() throws IOException {
        byte[] bytes = new byte[Math.toIntExact(disk.length())];
        disk.seek(0);
        disk.readFully(bytes);
        return bytes;
    }

    private static int wholeLines(byte[] bytes) {
        int whole = bytes.length;
        while (whole > 0 && !endsTogether(bytes, whole)) {
            whole--;
        }
        return whole;
    }

    private static Map<AnswerRecord.Key, AnswerRecord> parse(Path file, byte[] bytes, int whole) {
        Map<AnswerRecord.Key, AnswerRecord> answers = new LinkedHashMap<>();
        List<String> lines =
                new String(bytes, 0, whole, StandardCharsets.UTF_8).lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            String why = "fields are missing";
            try {
                AnswerRecord answer = Json.SNAKE_CASE.readValue(lines.get(i), AnswerRecord.class);
                if (isWhole(answer)) {
                    answers.put(answer.key(), answer);
                    continue;
                }
            } catch (JacksonException e) {
                why = e.getOriginalMessage();
            }
            throw new IllegalArgumentException(file + ", line " + (i + 1) + ": is not an answer of this command (" + why
                    + "). Give another file, or remove the line");
        }
        return answers;
    }

    private static boolean endsTogether(byte[] bytes, int end) {
        return bytes[end - 1] == '\n' && (end == 1 || bytes[end - 2] != MORE);
    }

    /// True if no object is missing in the JSON; a missing one is null in the record.
    private static boolean isWhole(AnswerRecord answer) {
        return Stream.of(
                        answer.key(),
                        answer.answer(),
                        answer.answerIds(),
                        answer.references(),
                        answer.scores(),
                        answer.labels(),
                        answer.promptHash(),
                        answer.finish())
                .allMatch(Objects::nonNull);
    }

    public boolean contains(AnswerRecord.Key key) {
        return answers.containsKey(key);
    }

    /// All answers, in the order in which they were appended.
    public Collection<AnswerRecord> answers() {
        return new ArrayList<>(answers.values());
    }

    /// Appends an answer and writes it to the disk.
    public void append(AnswerRecord answer) {
        append(List.of(answer));
    }

    /// Appends answers that belong together and writes them to the disk: all of them or none.
    public void append(List<AnswerRecord> together) {
        if (together.isEmpty()) {
            return;
        }
        byte[] bytes = (together.stream()
                                .map(Json.SNAKE_CASE::writeValueAsString)
                                .collect(Collectors.joining(MORE + "\n"))
                        + "\n")
                .getBytes(StandardCharsets.UTF_8);
        try {
            long start = disk.getFilePointer();
            try {
                disk.write(bytes);
                disk.getFD().sync();
            } catch (IOException e) {
                restore(start, e);
                throw e;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(
                    new FileSystemException(file.toString(), null, "an answer cannot be written: " + e.getMessage()));
        }
        for (AnswerRecord answer : together) {
            answers.put(answer.key(), answer);
        }
    }

    /// Removes what a failed write left behind the answers before.
    private void restore(long start, IOException failure) {
        try {
            if (disk.length() > start) {
                disk.setLength(start);
            }
            disk.seek(start);
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }

    @Override
    public void close() {
        try {
            disk.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
