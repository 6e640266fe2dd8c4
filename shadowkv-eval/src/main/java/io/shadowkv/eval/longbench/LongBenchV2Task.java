package io.shadowkv.eval.longbench;

import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.TaskContext;
import io.shadowkv.eval.metric.LongBenchMetrics;
import io.shadowkv.eval.metric.PythonText;
import io.shadowkv.eval.text.JsonArray;
import io.shadowkv.eval.text.JsonRow;
import io.shadowkv.eval.text.MiddleCut;
import java.util.List;
import java.util.Map;

/// LongBench v2's questions of one length. Any thread may ask.
///
/// @param template the official zero-shot prompt (THUDM/LongBench, `prompts/0shot.txt`)
/// @param entries this task's of the file
record LongBenchV2Task(String name, String template, JsonArray file, List<JsonArray.Entry> entries, TaskContext context)
        implements EvalTask {
    private static final int NEW_TOKENS = 128;

    @Override
    public int size() {
        return entries.size();
    }

    @Override
    public Sample sample(int index) {
        JsonRow row = file.read(entries.get(index));
        String whole = prompt(row);
        String user = new MiddleCut(context.tokenizer(), context.format())
                .fit(whole, "", context.contextTokens() - NEW_TOKENS, name + ", sample " + index);
        var turn = new Sample.Turn(
                user,
                row.text("question"),
                "",
                List.of(row.text("answer")),
                NEW_TOKENS,
                List.of(),
                List.of(LongBenchMetrics.ACCURACY));
        var labels = Map.of(
                "id", row.text("_id"),
                "length", row.text("length"),
                "difficulty", row.text("difficulty"),
                "domain", row.text("domain"),
                "truncated", Boolean.toString(!user.equals(whole)));
        return new Sample(name, index, List.of(turn), Sample.Wrapping.CHAT, Sample.History.CONVERSATION, labels);
    }

    /// One place after the other, as officially: `$Q$` in a text would be filled, too.
    private String prompt(JsonRow row) {
        String prompt = template.replace("$DOC$", PythonText.strip(row.text("context")))
                .replace("$Q$", PythonText.strip(row.text("question")));
        for (String letter : List.of("A", "B", "C", "D")) {
            prompt = prompt.replace("$C_" + letter + "$", PythonText.strip(row.text("choice_" + letter)));
        }
        return prompt;
    }
}
