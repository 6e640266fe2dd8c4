package io.shadowkv.eval.longbench;

import io.shadowkv.eval.PromptVersion;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.text.PromptTemplate;
import io.shadowkv.text.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The prompt of a LongBench task (THUDM/LongBench, `LongBench/config/dataset2prompt.json`,
/// `dataset2maxlen.json` and `LongBench/pred.py`). `tasks.json` has the strings with their
/// misspellings, and the paper's where they differ.
///
/// @param task the dataset's name
/// @param template with placeholders for `context` and `input`
/// @param newTokens maximum length of the answer
record LongBenchPrompt(String task, PromptTemplate template, int newTokens) {
    /// Tasks that the official script asks without a chat template, because chat models do better
    /// so.
    private static final Set<String> UNWRAPPED = Set.of("trec", "triviaqa", "samsum", "lsht", "lcc", "repobench-p");

    private static final Set<String> CHINESE_WORDS = Set.of("multifieldqa_zh", "dureader", "vcsum");

    /// The names of all tasks, in the order of the official script.
    static List<String> tasks() {
        return all(PromptVersion.OFFICIAL).stream().map(LongBenchPrompt::task).toList();
    }

    private static List<LongBenchPrompt> all(PromptVersion version) {
        try (InputStream json = Objects.requireNonNull(LongBenchPrompt.class.getResourceAsStream("tasks.json"))) {
            return JsonMapper.shared()
                    .readTree(json)
                    .valueStream()
                    .map(entry -> of(entry, version))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static LongBenchPrompt of(String task, PromptVersion version) {
        return all(version).stream()
                .filter(prompt -> prompt.task.equals(task))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("LongBench has no task \"" + task + "\""));
    }

    private static LongBenchPrompt of(JsonNode entry, PromptVersion version) {
        boolean isPapers = version == PromptVersion.SHADOWKV && entry.has("shadowkv_prompt");
        return new LongBenchPrompt(
                entry.get("task").asString(),
                new PromptTemplate(
                        entry.get(isPapers ? "shadowkv_prompt" : "prompt").asString()),
                entry.get("max_new_tokens").asInt());
    }

    boolean isScoredInChineseWords() {
        return CHINESE_WORDS.contains(task);
    }

    Sample.Wrapping wrapping() {
        return UNWRAPPED.contains(task) ? Sample.Wrapping.NONE : Sample.Wrapping.CHAT;
    }

    /// Ids that end an answer. A line break ends the summary of a dialogue, because models then go
    /// on with the next dialogue. Neither it nor the end of sequence may be the first token
    /// (`min_length=context_length+1` in `pred.py`). Another token that contains a line break does
    /// not end the answer.
    List<Integer> stopIds(Tokenizer tokenizer) {
        if (!task.equals("samsum")) {
            return List.of();
        }
        int[] lineBreak = tokenizer.encode("\n", false);
        return lineBreak.length == 0 ? List.of() : List.of(lineBreak[lineBreak.length - 1]);
    }

    /// The fixed limit of the official script for a context (`LongBench/config/model2maxlen.json`):
    /// tokens of a prompt without its template; 0 if there is none.
    static int officialLimit(int contextTokens) {
        return contextTokens >= 32 << 10
                ? 31_500
                : contextTokens >= 16 << 10
                        ? 15_500
                        : contextTokens >= 8 << 10 ? 7_500 : contextTokens >= 4 << 10 ? 3_500 : 0;
    }
}
