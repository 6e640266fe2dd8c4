package io.shadowkv.eval.ruler;

import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Sample;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A file of RULER's own JSONL, made by NVIDIA's scripts, by the paper's, or by `shadowkv ruler build`.
///
/// Texts go to the model as they are: they carry the wrapping that the file was made with. Lines are read when they
/// are asked for; the file may not change meanwhile. For any thread.
public final class RulerFile implements EvalTask {
    private final Path file;
    private final RulerKind kind;
    private final List<Line> lines;

    private RulerFile(Path file, RulerKind kind, List<Line> lines) {
        this.file = file;
        this.kind = kind;
        this.lines = lines;
    }

    private record Line(int number, long start, int bytes) {}

    /// Opens `<folder>/<task>/validation.jsonl`, whose folder names the task.
    ///
    /// @throws IllegalArgumentException if the folder's name is no task, or the file is not there or has no lines
    public static RulerFile open(Path file) {
        Path folder = file.toAbsolutePath().normalize().getParent();
        Path name = folder == null ? null : folder.getFileName();
        if (name == null || RulerKind.ALL.stream().noneMatch(kind -> kind.name().equals(name.toString()))) {
            throw new IllegalArgumentException(file + ": its folder is named "
                    + (name == null ? "nothing" : "\"" + name + "\"") + ", which is none of RULER's tasks ("
                    + String.join(", ", new RulerSuite().tasks()) + "). Name the task, or rename the folder");
        }
        return open(file, name.toString());
    }

    /// Opens a file as a task's.
    ///
    /// @param task RULER's name; decides metric and room for the answer
    /// @throws IllegalArgumentException if there is no such task, or the file is not there or has no lines
    public static RulerFile open(Path file, String task) {
        RulerKind kind = RulerKind.named(task);
        if (!Files.isRegularFile(file)) {
            throw new IllegalArgumentException(
                    file + ": no such file. `shadowkv ruler build` or NVIDIA's scripts make one for " + task);
        }
        try {
            List<Line> lines = lines(file);
            if (lines.isEmpty()) {
                throw new IllegalArgumentException(file + ": is empty; expected a JSON object a line");
            }
            return new RulerFile(file, kind, lines);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Where lines stand, empty ones left out: rows of a million tokens are not all held.
    private static List<Line> lines(Path file) throws IOException {
        List<Line> lines = new ArrayList<>();
        try (FileChannel channel = FileChannel.open(file)) {
            ByteBuffer buffer = ByteBuffer.allocate(1 << 20);
            long at = 0;
            long start = 0;
            int number = 1;
            while (channel.read(buffer.clear()) >= 0) {
                buffer.flip();
                while (buffer.hasRemaining()) {
                    at++;
                    if (buffer.get() == '\n') {
                        add(lines, number++, start, at - 1);
                        start = at;
                    }
                }
            }
            add(lines, number, start, at);
        }
        return lines;
    }

    private static void add(List<Line> lines, int number, long start, long end) {
        if (end > start) {
            lines.add(new Line(number, start, Math.toIntExact(end - start)));
        }
    }

    @Override
    public String name() {
        return RulerFileSuite.NAME + "/" + kind.name();
    }

    @Override
    public int size() {
        return lines.size();
    }

    @Override
    public Sample sample(int index) {
        if (index < 0 || index >= size()) {
            throw new IllegalArgumentException("%s has %,d rows; there is no row %,d".formatted(file, size(), index));
        }
        Line line = lines.get(index);
        JsonNode row = row(line);
        JsonNode input = row.path("input");
        List<String> outputs = outputs(row.path("outputs"));
        if (!input.isString() || outputs.isEmpty()) {
            throw new IllegalArgumentException(where(line) + ": has the fields " + row.propertyNames()
                    + "; expected a text \"input\" and a list of texts \"outputs\"");
        }
        String text = input.stringValue();
        String question = text.stripTrailing();
        var turn = new Sample.Turn(
                text,
                question.substring(question.lastIndexOf('\n') + 1),
                row.path("answer_prefix").asString(""),
                outputs,
                kind.newTokens(),
                List.of(),
                kind.metrics());
        Map<String, String> labels = new TreeMap<>();
        if (row.path("length").isNumber()) {
            labels.put("length", row.path("length").asString());
        }
        return new Sample(name(), index, List.of(turn), Sample.Wrapping.NONE, Sample.History.CONVERSATION, labels);
    }

    private static List<String> outputs(JsonNode node) {
        List<String> outputs = new ArrayList<>();
        if (node.isString()) {
            outputs.add(node.stringValue());
        }
        for (int i = 0; node.isArray() && i < node.size(); i++) {
            outputs.add(node.get(i).asString());
        }
        return outputs;
    }

    private JsonNode row(Line line) {
        ByteBuffer bytes = ByteBuffer.allocate(line.bytes());
        try (FileChannel channel = FileChannel.open(file)) {
            while (bytes.hasRemaining() && channel.read(bytes, line.start() + bytes.position()) >= 0) {}
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        try {
            return JsonMapper.shared().readTree(new String(bytes.array(), StandardCharsets.UTF_8));
        } catch (JacksonException e) {
            throw new IllegalArgumentException(where(line) + ": is no JSON (" + e.getOriginalMessage() + ")", e);
        }
    }

    private String where(Line line) {
        return file + ", line " + line.number();
    }
}
