package io.shadowkv.eval.longbench;

import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Suite;
import io.shadowkv.eval.TaskContext;
import io.shadowkv.eval.text.JsonArray;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/// LongBench v2 (THUDM/LongBench, `pred.py`): 503 questions with four choices each over texts of 8
/// thousand to 2 million words. They are asked directly or, as with `--cot`, in two steps: the
/// second prompt quotes the model's reasoning without the text.
///
/// Reads the published `longbench-v2/data.json` in the data folder. A task has one of the three
/// lengths, so the whole suite has every question once; the official overall accuracy is the mean
/// over all of its answers. Differences from the script: it samples at temperature 0.1, and it
/// skips empty answers and asks again, while here an empty answer is wrong.
///
/// @param name the name before the slash
/// @param thinks whether the model is asked for its reasoning first
public record LongBenchV2Suite(String name, boolean thinks) implements Suite {
    /// The published columns without chain of thought.
    public static final LongBenchV2Suite DIRECT = new LongBenchV2Suite("longbench-v2", false);

    /// The published columns with chain of thought.
    public static final LongBenchV2Suite CHAIN_OF_THOUGHT = new LongBenchV2Suite("longbench-v2-cot", true);

    /// Folder of the files, which both suites read.
    private static final String FOLDER = "longbench-v2";

    private static final List<String> LENGTHS = List.of("short", "medium", "long");

    @Override
    public List<String> tasks() {
        return LENGTHS;
    }

    @Override
    public EvalTask open(String task, TaskContext context) {
        checkTask(task);
        String taskName = name() + "/" + task;
        Path file = context.options().dataFolder().resolve(FOLDER).resolve("data.json");
        if (!Files.isRegularFile(file)) {
            throw new IllegalArgumentException(taskName + " reads " + file.toAbsolutePath()
                    + ", which does not exist. It is LongBench v2's published data.json, one JSON list of 503 questions with"
                    + " the fields question, choice_A to choice_D, answer, context, length, difficulty and domain;"
                    + " `shadowkv pull --suite longbench-v2` downloads it; or name another folder");
        }
        JsonArray all = JsonArray.open(file, Set.of("length"));
        List<JsonArray.Entry> entries = all.entries().stream()
                .filter(entry -> task.equals(entry.fields().get("length")))
                .toList();
        if (entries.isEmpty()) {
            throw new IllegalArgumentException(
                    "%s: none of the %,d questions of %s has the length \"%s\". Download the published file again"
                            .formatted(taskName, all.entries().size(), file, task));
        }
        LongBenchV2Task.Prompts prompts = thinks
                ? new LongBenchV2Task.Prompts(template("v2-0shot-cot.txt"), template("v2-0shot-cot-ans.txt"))
                : new LongBenchV2Task.Prompts(template("v2-0shot.txt"), "");
        return LongBenchV2Task.of(taskName, prompts, all, entries, context);
    }

    private static String template(String file) {
        try (InputStream text = Objects.requireNonNull(LongBenchV2Suite.class.getResourceAsStream(file))) {
            return new String(text.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
