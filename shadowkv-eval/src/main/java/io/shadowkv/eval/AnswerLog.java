package io.shadowkv.eval;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.json.JsonMapper;

/// Answers in a file, one JSON object a line, each on disk before the next question is asked.
///
/// Answers that are appended together stand or fall together: every line of theirs but the last ends with a blank,
/// and what an interruption left without its last line is taken off when the file is opened again. One thread, one
/// process a file.
public final class AnswerLog implements AutoCloseable {
    // Annotations are off, here and wherever a cluster's driver or executors read JSON: there are none, and to look for
    // them Jackson 3 needs a newer jackson-annotations than the one that Spark 4.2 puts first on the class path.
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .disable(MapperFeature.USE_ANNOTATIONS)
            .build();

    /// Before the end of a line: the next line belongs to it.
    private static final char MORE = ' ';

    private final FileChannel channel;
    private final Map<AnswerRecord.Key, AnswerRecord> answers = new LinkedHashMap<>();

    private AnswerLog(FileChannel channel) {
        this.channel = channel;
    }

    /// Opens a log, made if it is not there, and reads the answers it holds.
    ///
    /// @throws UncheckedIOException if it cannot be read or written
    /// @throws IllegalArgumentException if a line is not an answer
    public static AnswerLog open(Path file) {
        try {
            Path parent = file.toAbsolutePath().getParent();
            if (parent != null) {
                Files.createDirectories(parent);
            }
            var channel = FileChannel.open(
                    file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            var log = new AnswerLog(channel);
            try {
                log.read(file);
            } catch (IOException | RuntimeException e) {
                channel.close();
                throw e;
            }
            return log;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void read(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        int whole = bytes.length;
        while (whole > 0 && !endsTogether(bytes, whole)) {
            whole--;
        }
        List<String> lines =
                new String(bytes, 0, whole, StandardCharsets.UTF_8).lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            try {
                AnswerRecord answer = MAPPER.readValue(lines.get(i), AnswerRecord.class);
                answers.put(answer.key(), answer);
            } catch (JacksonException e) {
                throw new IllegalArgumentException(
                        file + ", line " + (i + 1) + ": is no answer of this command (" + e.getOriginalMessage()
                                + "). Give another file, or take the line out",
                        e);
            }
        }
        channel.truncate(whole);
        channel.position(whole);
    }

    private static boolean endsTogether(byte[] bytes, int end) {
        return bytes[end - 1] == '\n' && (end == 1 || bytes[end - 2] != MORE);
    }

    public boolean contains(AnswerRecord.Key key) {
        return answers.containsKey(key);
    }

    /// All answers, in the order given.
    public Collection<AnswerRecord> answers() {
        return new ArrayList<>(answers.values());
    }

    /// Writes an answer, through to the disk.
    public void append(AnswerRecord answer) {
        append(List.of(answer));
    }

    /// Writes answers that belong together, through to the disk: all of them or none.
    public void append(List<AnswerRecord> together) {
        if (together.isEmpty()) {
            return;
        }
        byte[] bytes = (together.stream().map(MAPPER::writeValueAsString).collect(Collectors.joining(MORE + "\n"))
                        + "\n")
                .getBytes(StandardCharsets.UTF_8);
        try {
            long start = channel.position();
            try {
                ByteBuffer rest = ByteBuffer.wrap(bytes);
                while (rest.hasRemaining()) {
                    channel.write(rest);
                }
                channel.force(false);
            } catch (IOException e) {
                channel.truncate(start);
                throw e;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        for (AnswerRecord answer : together) {
            answers.put(answer.key(), answer);
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
