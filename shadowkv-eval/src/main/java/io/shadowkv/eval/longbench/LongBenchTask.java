package io.shadowkv.eval.longbench;

import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.PromptFormat;
import io.shadowkv.eval.PromptVersion;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.TaskContext;
import io.shadowkv.eval.metric.LongBenchMetrics;
import io.shadowkv.eval.metric.Segmenter;
import io.shadowkv.eval.text.JsonLines;
import io.shadowkv.eval.text.JsonRow;
import io.shadowkv.eval.text.MiddleCut;
import io.shadowkv.text.Tokenizer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/// One of LongBench's tasks. Thread-safe.
///
/// Prompts are cut as in `LongBench/pred.py`: half of the room from each end, before the template
/// is added. The room is either exactly what answer and template leave of the context, or a fixed
/// number of tokens, see [io.shadowkv.eval.PromptCut].
///
/// @param segmenter for metrics that count Chinese words
/// @param kept the lines that are samples, if short ones are left out
/// @param limit fixed maximum of a prompt's tokens; [Integer#MAX_VALUE] if the context determines
///     it
record LongBenchTask(
        String name,
        LongBenchPrompt prompt,
        JsonLines lines,
        Segmenter segmenter,
        TaskContext context,
        int[] kept,
        int limit)
        implements EvalTask {
    /// Most texts have four characters a token. A text with fewer tokens in this many characters is
    /// counted whole.
    private static final int CHARACTERS_A_TOKEN = 12;
    /// More tokens than a cut inside a word can add.
    private static final int SEAM_TOKENS = 64;

    /// Opens a task.
    ///
    /// @throws IllegalArgumentException if all samples are shorter than required
    static LongBenchTask of(
            String name, LongBenchPrompt prompt, JsonLines lines, Segmenter segmenter, TaskContext context) {
        int least = context.options().files().minTokens();
        int official = LongBenchPrompt.officialLimit(context.contextTokens());
        int limit = context.options().files().cut().limit(name, official, prompt.newTokens(), context.contextTokens());
        int[] kept = IntStream.range(0, lines.size())
                .filter(line -> least == 0 || isLonger(context.tokenizer(), prompt, lines, line, least))
                .toArray();
        if (kept.length == 0) {
            throw new IllegalArgumentException(
                    "%s: none of the %,d samples of %s has more than %,d tokens; lower the minimum"
                            .formatted(name, lines.size(), lines.file(), least));
        }
        return new LongBenchTask(name, prompt, lines, segmenter, context, kept, limit);
    }

    /// A damaged row counts as long, so that asking for it reports the damage.
    private static boolean isLonger(
            Tokenizer tokenizer, LongBenchPrompt prompt, JsonLines lines, int line, int tokens) {
        try {
            return isLonger(tokenizer, text(prompt, lines.read(line)), tokens);
        } catch (IllegalArgumentException _) {
            return true;
        }
    }

    /// Counts the start of the text first, which decides for most texts and takes a fraction of the
    /// time.
    private static boolean isLonger(Tokenizer tokenizer, String text, int tokens) {
        long beginning = (long) CHARACTERS_A_TOKEN * tokens;
        boolean isLongAlready = text.length() > beginning
                && tokenizer.encodeAsText(text.substring(0, (int) beginning)).length > tokens + SEAM_TOKENS;
        return isLongAlready || tokenizer.encodeAsText(text).length > tokens;
    }

    private static String text(LongBenchPrompt prompt, JsonRow row) {
        return prompt.template().fill(Map.of("context", row.text("context"), "input", row.text("input")));
    }

    @Override
    public int size() {
        return kept.length;
    }

    @Override
    public Sample sample(int index) {
        JsonRow row = lines.read(kept[index]);
        String whole = text(prompt, row);
        PromptFormat format =
                prompt.wrapping() == Sample.Wrapping.CHAT ? context.format() : PromptFormat.plain(context.tokenizer());
        var cut = new MiddleCut(context.tokenizer(), format);
        String user = cut.fit(
                cut.fixed(whole, limit), "", context.contextTokens() - prompt.newTokens(), name + ", sample " + index);
        List<String> classes = row.has("all_classes") ? row.texts("all_classes") : List.of();
        var turn = new Sample.Turn(
                user,
                row.text("input"),
                "",
                row.texts("answers"),
                prompt.newTokens(),
                prompt.stopIds(context.tokenizer()),
                List.of(LongBenchMetrics.of(prompt.task(), classes, segmenter)));
        return new Sample(
                name,
                index,
                List.of(turn),
                prompt.wrapping(),
                Sample.History.CONVERSATION,
                labels(row, index, !user.equals(whole)));
    }

    private Map<String, String> labels(JsonRow row, int index, boolean isTruncated) {
        Map<String, String> labels = new HashMap<>(Map.of(
                "id", row.has("_id") ? row.text("_id") : Integer.toString(index),
                "length", row.has("length") ? lengthGroup(row) : "unknown",
                "language", row.has("language") ? row.text("language") : "unknown",
                "truncated", Boolean.toString(isTruncated)));
        if (limit < Integer.MAX_VALUE) {
            labels.put("cut", Integer.toString(limit));
        }
        if (context.options().files().prompts() == PromptVersion.SHADOWKV) {
            labels.put("prompts", "shadowkv");
        }
        return labels;
    }

    /// The groups of LongBench-E (`LongBench/eval.py`, `scorer_e`), by words, or by characters in
    /// Chinese.
    private static String lengthGroup(JsonRow row) {
        double length = Double.parseDouble(row.text("length"));
        return length < 4000 ? "0-4k" : length < 8000 ? "4-8k" : "8k+";
    }
}
