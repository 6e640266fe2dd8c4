package io.shadowkv.eval.longbench;

import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.PromptFormat;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.TaskContext;
import io.shadowkv.eval.metric.LongBenchMetrics;
import io.shadowkv.eval.metric.Segmenter;
import io.shadowkv.eval.text.JsonLines;
import io.shadowkv.eval.text.JsonRow;
import io.shadowkv.eval.text.MiddleCut;
import io.shadowkv.text.Tokenizer;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/// One of LongBench's tasks. Any thread may ask.
///
/// Prompts are cut as `LongBench/pred.py` does, to half of the room from either end and before the
/// template goes around them; the room is what answer and template leave of the context, to the token.
///
/// @param segmenter for scores that count Chinese words
/// @param kept the lines that are samples, where short ones are left out
record LongBenchTask(
        String name, LongBenchPrompt prompt, JsonLines lines, Segmenter segmenter, TaskContext context, int[] kept)
        implements EvalTask {
    /// Most texts have four characters a token; one with fewer tokens in so many is counted whole.
    private static final int CHARACTERS_A_TOKEN = 12;
    /// More tokens than the last word before a cut can make apart.
    private static final int SEAM_TOKENS = 64;

    /// @throws IllegalArgumentException if every sample is shorter than asked for
    static LongBenchTask of(
            String name, LongBenchPrompt prompt, JsonLines lines, Segmenter segmenter, TaskContext context) {
        int least = context.options().minTokens();
        int[] kept = IntStream.range(0, lines.size())
                .filter(line -> least == 0 || isLonger(context.tokenizer(), text(prompt, lines.read(line)), least))
                .toArray();
        if (kept.length == 0) {
            throw new IllegalArgumentException(
                    "%s: none of the %,d samples of %s has more than %,d tokens; ask for shorter ones"
                            .formatted(name, lines.size(), lines.file(), least));
        }
        return new LongBenchTask(name, prompt, lines, segmenter, context, kept);
    }

    /// Counts the beginning first, which is enough for most texts and takes a fraction of the time.
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
        String user = new MiddleCut(context.tokenizer(), format)
                .fit(whole, "", context.contextTokens() - prompt.newTokens(), name + ", sample " + index);
        List<String> classes = row.has("all_classes") ? row.texts("all_classes") : List.of();
        var turn = new Sample.Turn(
                user,
                row.text("input"),
                "",
                row.texts("answers"),
                prompt.newTokens(),
                prompt.stopStrings(),
                List.of(LongBenchMetrics.of(prompt.task(), classes, segmenter)));
        return new Sample(
                name,
                index,
                List.of(turn),
                prompt.wrapping(),
                Sample.History.CONVERSATION,
                labels(row, index, !user.equals(whole)));
    }

    private static Map<String, String> labels(JsonRow row, int index, boolean isTruncated) {
        return Map.of(
                "id", row.has("_id") ? row.text("_id") : Integer.toString(index),
                "length", row.has("length") ? lengthGroup(row) : "unknown",
                "language", row.has("language") ? row.text("language") : "unknown",
                "truncated", Boolean.toString(isTruncated));
    }

    /// The groups of LongBench-E (`LongBench/eval.py`, `scorer_e`), by words, or characters in Chinese.
    private static String lengthGroup(JsonRow row) {
        double length = Double.parseDouble(row.text("length"));
        return length < 4000 ? "0-4k" : length < 8000 ? "4-8k" : "8k+";
    }
}
