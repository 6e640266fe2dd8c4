package io.shadowkv.eval.ruler;

import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.ruler.text.RulerKind;
import io.shadowkv.eval.text.JsonLines;
import io.shadowkv.eval.text.JsonRow;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// A file of RULER's own JSONL, written by NVIDIA's scripts, by the paper's, or by
/// `shadowkv ruler build`.
///
/// Texts are passed to the model unchanged: they include the chat template that the file was made
/// with. Lines are read on demand; the file must not change meanwhile. Thread-safe.
public final class RulerFile implements EvalTask {
    private final RulerKind kind;
    private final JsonLines lines;

    private RulerFile(RulerKind kind, JsonLines lines) {
        this.kind = kind;
        this.lines = lines;
    }

    /// Opens `<folder>/<task>/validation.jsonl`, whose folder has the name of the task.
    ///
    /// @throws IllegalArgumentException if the folder's name is not a task, or the file does not
    ///     exist or has no lines
    public static RulerFile open(Path file) {
        Path folder = file.toAbsolutePath().normalize().getParent();
        Path name = folder == null ? null : folder.getFileName();
        if (name == null || RulerKind.ALL.stream().noneMatch(kind -> kind.name().equals(name.toString()))) {
            throw new IllegalArgumentException(file + ": its folder is named "
                    + (name == null ? "nothing" : "\"" + name + "\"") + ", which is not one of RULER's tasks ("
                    + String.join(", ", new RulerSuite().tasks()) + "). Pass the task, or rename the folder");
        }
        return open(file, name.toString());
    }

    /// Opens a file of the given task.
    ///
    /// @param task RULER's name; determines metric and answer length
    /// @throws IllegalArgumentException if there is no such task, or the file does not exist or has
    ///     no lines
    public static RulerFile open(Path file, String task) {
        RulerKind kind = RulerKind.named(task);
        String what = "RULER's own file of " + task
                + ", which `shadowkv ruler build` and NVIDIA's scripts make, and whose" + " folder --ruler-files names";
        return new RulerFile(kind, JsonLines.open(file, name(kind), what));
    }

    private static String name(RulerKind kind) {
        return RulerFileSuite.NAME + "/" + kind.name();
    }

    @Override
    public String name() {
        return name(kind);
    }

    @Override
    public int size() {
        return lines.size();
    }

    @Override
    public Sample sample(int index) {
        if (index < 0 || index >= size()) {
            throw new IllegalArgumentException(
                    "%s has %,d rows; there is no row %,d".formatted(lines.file(), size(), index));
        }
        JsonRow row = lines.read(index);
        String text = row.text("input");
        String question = text.stripTrailing();
        var turn = new Sample.Turn(
                text,
                question.substring(question.lastIndexOf('\n') + 1),
                row.has("answer_prefix") ? row.text("answer_prefix") : "",
                row.texts("outputs"),
                kind.newTokens(),
                List.of(),
                kind.metrics());
        Map<String, String> labels = row.has("length") ? Map.of("length", row.text("length")) : Map.of();
        return new Sample(name(), index, List.of(turn), Sample.Wrapping.NONE, Sample.History.CONVERSATION, labels);
    }
}
