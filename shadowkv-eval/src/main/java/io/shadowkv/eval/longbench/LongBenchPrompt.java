package io.shadowkv.eval.longbench;

import io.shadowkv.eval.Sample;
import io.shadowkv.eval.text.PromptTemplate;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// How LongBench asks a task's questions (THUDM/LongBench, `LongBench/config/dataset2prompt.json`,
/// `dataset2maxlen.json` and `LongBench/pred.py`; the strings with their slips stand in `tasks.json`).
///
/// @param task the dataset's name
/// @param template with places for `context` and `input`
/// @param newTokens room for the answer
record LongBenchPrompt(String task, PromptTemplate template, int newTokens) {
    /// Chat models do better on these without their template, says the official script.
    private static final Set<String> UNWRAPPED = Set.of("trec", "triviaqa", "samsum", "lsht", "lcc", "repobench-p");

    private static final Set<String> CHINESE_WORDS = Set.of("multifieldqa_zh", "dureader", "vcsum");

    /// All, in the order of the official script.
    static List<LongBenchPrompt> all() {
        try (InputStream json = Objects.requireNonNull(LongBenchPrompt.class.getResourceAsStream("tasks.json"))) {
            return JsonMapper.shared()
                    .readTree(json)
                    .valueStream()
                    .map(LongBenchPrompt::of)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static LongBenchPrompt of(String task) {
        return all().stream()
                .filter(prompt -> prompt.task.equals(task))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("LongBench has no task \"" + task + "\""));
    }

    private static LongBenchPrompt of(JsonNode entry) {
        return new LongBenchPrompt(
                entry.get("task").asString(),
                new PromptTemplate(entry.get("prompt").asString()),
                entry.get("max_new_tokens").asInt());
    }

    boolean isScoredInChineseWords() {
        return CHINESE_WORDS.contains(task);
    }

    Sample.Wrapping wrapping() {
        return UNWRAPPED.contains(task) ? Sample.Wrapping.NONE : Sample.Wrapping.CHAT;
    }

    /// A line break ends a summary of a dialogue, where models go on with the next dialogue. (Officially
    /// its token ends the answer, but not as the first one: an answer that begins with a line break is
    /// empty here.)
    List<String> stopStrings() {
        return task.equals("samsum") ? List.of("\n") : List.of();
    }
}
