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
/// thousand to 2 million words, asked at once or, as with `--cot`, after thoughts that a second
/// prompt quotes without the text.
///
/// Reads the published `longbench-v2/data.json` in the data folder. A task holds one of its three
/// lengths, so that the suite's name means every question once; the official overall accuracy is
/// the mean over all of its answers. What differs from the script: it samples at temperature 0.1,
/// and an answer that is empty it leaves out and asks again, where here it is wrong.
///
/// @param name what stands before the slash
/// @param thinks whether the model is asked for its thoughts first
public record LongBenchV2Suite(String name, boolean thinks) implements Suite {
    /// The table's columns without chain of thought.
    public static final LongBenchV2Suite DIRECT = new LongBenchV2Suite("longbench-v2", false);

    /// The table's columns with it.
    public static final LongBenchV2Suite CHAIN_OF_THOUGHT = new LongBenchV2Suite("longbench-v2-cot", true);

    /// Of the files, which both share.
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
                    + ", which is not there. It is LongBench v2's published data.json, one JSON list of 503 questions with"
                    + " the fields question, choice_A to choice_D, answer, context, length, difficulty and domain;"
                    + " `shadowkv pull --suite longbench-v2` brings it, or name another folder");
        }
        JsonArray all = JsonArray.open(file, Set.of("length"));
        List<JsonArray.Entry> entries = all.entries().stream()
                .filter(entry -> task.equals(entry.fields().get("length")))
                .toList();
        if (entries.isEmpty()) {
            throw new IllegalArgumentException(
                    "%s: none of the %,d questions of %s has the length \"%s\". Bring the published file again"
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
