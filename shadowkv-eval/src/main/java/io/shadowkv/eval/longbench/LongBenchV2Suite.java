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

/// LongBench v2 (THUDM/LongBench, `pred.py` without its options): 503 questions with four choices each
/// over texts of 8 thousand to 2 million words.
///
/// Reads the published `longbench-v2/data.json` in the data folder. A task holds one of its three lengths,
/// so that the suite's name means every question once; the official overall accuracy is the mean over all
/// of its answers. The official script samples at temperature 0.1.
public final class LongBenchV2Suite implements Suite {
    private static final List<String> LENGTHS = List.of("short", "medium", "long");

    @Override
    public String name() {
        return "longbench-v2";
    }

    @Override
    public List<String> tasks() {
        return LENGTHS;
    }

    @Override
    public EvalTask open(String task, TaskContext context) {
        checkTask(task);
        String taskName = name() + "/" + task;
        Path file = context.options().dataFolder().resolve(name()).resolve("data.json");
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
        return new LongBenchV2Task(taskName, template(), all, entries, context);
    }

    private static String template() {
        try (InputStream text = Objects.requireNonNull(LongBenchV2Suite.class.getResourceAsStream("v2-0shot.txt"))) {
            return new String(text.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
