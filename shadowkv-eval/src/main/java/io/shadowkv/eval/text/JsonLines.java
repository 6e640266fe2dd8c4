package io.shadowkv.eval.text;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// A published file with one JSON object on each line. Only the offsets of its lines are kept in
/// memory.
///
/// Does not keep the file open. Thread-safe. Empty lines are not counted.
public final class JsonLines {
    private static final int BUFFER_BYTES = 1 << 20;

    private final Path file;
    private final long[] starts;
    private final long[] ends;
    private final int[] numbers;

    private JsonLines(Path file, Index index) {
        this.file = file;
        starts = Arrays.copyOf(index.starts, index.lines);
        ends = Arrays.copyOf(index.ends, index.lines);
        numbers = Arrays.copyOf(index.numbers, index.lines);
    }

    /// Finds the lines of a file.
    ///
    /// @param task name of the task that reads it, for the message
    /// @param what describes the file, as the end of a sentence:
    ///     `a task of X with the fields a and b`
    /// @throws IllegalArgumentException if the file does not exist or is empty
    /// @throws UncheckedIOException if it cannot be read
    public static JsonLines open(Path file, String task, String what) {
        if (!Files.isRegularFile(file)) {
            throw new IllegalArgumentException(
                    task + " reads " + file.toAbsolutePath() + ", which does not exist. It is " + what
                            + ". Put the file there (one JSON object on each line), or name another folder");
        }
        var index = new Index();
        try (FileChannel channel = FileChannel.open(file)) {
            ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES);
            while (channel.read(buffer) >= 0) {
                index.accept(buffer.flip());
                buffer.clear();
            }
            index.end();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (index.lines == 0) {
            throw new IllegalArgumentException(task + " reads " + file.toAbsolutePath() + ", which is empty. It is "
                    + what + ", with one JSON object on each line. Download the file again");
        }
        return new JsonLines(file, index);
    }

    public Path file() {
        return file;
    }

    /// Number of non-empty lines.
    public int size() {
        return starts.length;
    }

    /// Reads a line.
    ///
    /// @param index from 0, below [#size()]
    /// @throws IllegalArgumentException if it is not a JSON object
    /// @throws UncheckedIOException if it cannot be read
    public JsonRow read(int index) {
        try {
            JsonNode row = LargeJson.MAPPER.readTree(LargeJson.bytes(file, starts[index], ends[index]));
            if (row.isObject()) {
                return new JsonRow(row, place(index));
            }
            throw malformed(index, "a JSON " + row.getNodeType() + ", not an object", null);
        } catch (JacksonException e) {
            throw malformed(index, e.getOriginalMessage(), e);
        }
    }

    private IllegalArgumentException malformed(int index, String found, @Nullable Exception cause) {
        return new IllegalArgumentException(
                place(index) + ": expected a JSON object, found " + found + ". Download the published file again",
                cause);
    }

    private String place(int index) {
        return file + ", line " + numbers[index];
    }

    private static final class Index {
        private long[] starts = new long[256];
        private long[] ends = new long[256];
        private int[] numbers = new int[256];
        private int lines;
        private int number = 1;
        private long position;
        private long start;
        private boolean isBlank = true;

        void accept(ByteBuffer bytes) {
            while (bytes.hasRemaining()) {
                byte next = bytes.get();
                if (next == '\n') {
                    end();
                    number++;
                    start = position + 1;
                } else if (next != ' ' && next != '\t' && next != '\r') {
                    isBlank = false;
                }
                position++;
            }
        }

        void end() {
            if (!isBlank) {
                if (lines == starts.length) {
                    starts = Arrays.copyOf(starts, 2 * lines);
                    ends = Arrays.copyOf(ends, 2 * lines);
                    numbers = Arrays.copyOf(numbers, 2 * lines);
                }
                starts[lines] = start;
                ends[lines] = position;
                numbers[lines++] = number;
            }
            isBlank = true;
        }
    }
}
