package io.shadowkv.eval.longbench;

import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.TaskContext;
import io.shadowkv.eval.metric.LongBenchMetrics;
import io.shadowkv.eval.metric.PythonText;
import io.shadowkv.eval.text.JsonArray;
import io.shadowkv.eval.text.JsonRow;
import io.shadowkv.eval.text.MiddleCut;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// LongBench v2's questions of one length. Thread-safe.
///
/// @param prompts templates of the questions
/// @param entries the entries of the file that belong to this task
/// @param limit fixed maximum of a prompt's tokens; [Integer#MAX_VALUE] if the context determines
///     it
record LongBenchV2Task(
        String name, Prompts prompts, JsonArray file, List<JsonArray.Entry> entries, TaskContext context, int limit)
        implements EvalTask {
    private static final int NEW_TOKENS = 128;
    private static final int THOUGHT_TOKENS = 1024;

    /// The official limit for every open model (THUDM/LongBench, `config/model2maxlen.json`).
    private static final int OFFICIAL_LIMIT = 120_000;

    /// The official zero-shot prompts (THUDM/LongBench, `prompts`).
    ///
    /// @param question the prompt with the text
    /// @param conclusion asks for the answer after the reasoning; empty if there is none
    record Prompts(String question, String conclusion) {
        boolean hasThoughts() {
            return !conclusion.isEmpty();
        }

        /// Maximum length of the answer to the first prompt.
        int newTokens() {
            return hasThoughts() ? THOUGHT_TOKENS : NEW_TOKENS;
        }
    }

    /// Opens a task.
    ///
    /// @throws IllegalArgumentException if the requested fixed limit does not fit the context
    static LongBenchV2Task of(
            String name, Prompts prompts, JsonArray file, List<JsonArray.Entry> entries, TaskContext context) {
        int limit = context.options()
                .files()
                .cut()
                .limit(name, OFFICIAL_LIMIT, prompts.newTokens(), context.contextTokens());
        return new LongBenchV2Task(name, prompts, file, entries, context, limit);
    }

    @Override
    public int size() {
        return entries.size();
    }

    @Override
    public Sample sample(int index) {
        JsonRow row = file.read(entries.get(index));
        String whole = filled(prompts.question().replace("$DOC$", PythonText.strip(row.text("context"))), row);
        var cut = new MiddleCut(context.tokenizer(), context.format());
        String user = cut.fit(
                cut.fixed(whole, limit), "", context.contextTokens() - prompts.newTokens(), name + ", sample " + index);
        List<Sample.Turn> turns = new ArrayList<>();
        if (prompts.hasThoughts()) {
            turns.add(new Sample.Turn(user, row.text("question"), "", List.of(), THOUGHT_TOKENS, List.of(), List.of()));
            user = filled(prompts.conclusion(), row);
        }
        turns.add(new Sample.Turn(
                user,
                row.text("question"),
                "",
                List.of(row.text("answer")),
                NEW_TOKENS,
                List.of(),
                List.of(LongBenchMetrics.ACCURACY)));
        Sample.History history = prompts.hasThoughts() ? Sample.History.QUOTED_ANSWER : Sample.History.CONVERSATION;
        boolean isTruncated = !turns.getFirst().user().equals(whole);
        return new Sample(name, index, turns, Sample.Wrapping.CHAT, history, labels(row, isTruncated));
    }

    private Map<String, String> labels(JsonRow row, boolean isTruncated) {
        Map<String, String> labels = new HashMap<>(Map.of(
                "id", row.text("_id"),
                "length", row.text("length"),
                "difficulty", row.text("difficulty"),
                "domain", row.text("domain"),
                "truncated", Boolean.toString(isTruncated)));
        if (limit < Integer.MAX_VALUE) {
            labels.put("cut", Integer.toString(limit));
        }
        return labels;
    }

    /// Fills one placeholder after the other, as the official script does: `$Q$` in a text is
    /// filled too.
    private static String filled(String template, JsonRow row) {
        String prompt = template.replace("$Q$", PythonText.strip(row.text("question")));
        for (String letter : List.of("A", "B", "C", "D")) {
            prompt = prompt.replace("$C_" + letter + "$", PythonText.strip(row.text("choice_" + letter)));
        }
        return prompt;
    }
}
