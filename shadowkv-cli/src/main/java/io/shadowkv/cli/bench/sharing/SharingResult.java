package io.shadowkv.cli.bench.sharing;

import io.shadowkv.cli.process.Machine;
import io.shadowkv.engine.serve.Engine;
import java.io.PrintWriter;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// What `bench sharing` measured. Gaps are nanoseconds between two tokens of one answer.
///
/// @param readSeconds time to read the document with nothing else running
/// @param questionSeconds time to the first token of a short question about it, median
/// @param turnSeconds time to the first token of a long question
/// @param together time to the first tokens of a batch of short questions that arrive together
/// @param greedy gaps of a batch that takes the most likely tokens
/// @param sampled gaps at temperature 0.7, top-p 0.9, with 5 log probabilities
/// @param topK gaps at top-k 64 in addition
/// @param whileReading gaps while another prompt is read
/// @param readWhileDecodingSeconds time to read that prompt
/// @param mixed gaps of a batch of half short contexts
/// @param saved the document saved and opened; null if that was not measured
record SharingResult(
        int contextTokens,
        int batch,
        int steps,
        int questionTokens,
        int turnTokens,
        double readSeconds,
        double questionSeconds,
        double turnSeconds,
        Together together,
        long[] greedy,
        long[] sampled,
        long[] topK,
        long[] whileReading,
        double readWhileDecodingSeconds,
        long[] mixed,
        @Nullable Saved saved) {
    /// Seconds from the submission of all questions to the first token of each.
    record Together(double earliest, double mean, double latest) {}

    /// @param openFirstTokenSeconds time from opening to the first token of a question
    record Saved(long bytes, double saveSeconds, double openSeconds, double openFirstTokenSeconds) {}

    void print(PrintWriter out) {
        out.printf(Locale.ROOT, "document of %,d tokens: read in %.3f s%n", contextTokens, readSeconds);
        out.printf(
                Locale.ROOT,
                "question of %d tokens: first token after %.1f ms%n",
                questionTokens,
                questionSeconds * 1e3);
        out.printf(Locale.ROOT, "question of %,d tokens: first token after %.1f ms%n", turnTokens, turnSeconds * 1e3);
        out.printf(
                Locale.ROOT,
                "%d questions of %d tokens at once: first tokens after %.1f to %.1f ms, %.1f on average%n",
                batch,
                questionTokens,
                together.earliest() * 1e3,
                together.latest() * 1e3,
                together.mean() * 1e3);
        out.printf(Locale.ROOT, "gap between tokens, batch %d, ms        median      p99      max%n", batch);
        line(out, "most likely tokens", greedy);
        line(out, "temperature 0.7, top-p 0.9, logprobs", sampled);
        line(out, "the same with top-k 64", topK);
        line(out, "half of the contexts short", mixed);
        line(out, "while another prompt is read", whileReading);
        out.printf(
                Locale.ROOT,
                "that prompt: read in %.3f s, %.2f times its time alone%n",
                readWhileDecodingSeconds,
                readWhileDecodingSeconds / readSeconds);
        if (saved != null) {
            out.printf(
                    Locale.ROOT,
                    "saved %,d bytes in %.2f s; opened in %.2f s, first token of a question after %.2f s%n",
                    saved.bytes(),
                    saved.saveSeconds(),
                    saved.openSeconds(),
                    saved.openFirstTokenSeconds());
        }
    }

    private static void line(PrintWriter out, String what, long[] gaps) {
        out.printf(
                Locale.ROOT,
                "  %-38s %8.2f %8.2f %8.2f%n",
                what,
                quantile(gaps, 0.5) * 1e3,
                quantile(gaps, 0.99) * 1e3,
                quantile(gaps, 1) * 1e3);
    }

    /// @return seconds
    private static double quantile(long[] gaps, double share) {
        long[] sorted = gaps.clone();
        Arrays.sort(sorted);
        return sorted.length == 0 ? Double.NaN : sorted[(int) Math.round((sorted.length - 1) * share)] / 1e9;
    }

    ObjectNode json(String model, Engine engine, Machine machine, @Nullable Double hitRate) {
        ObjectNode root = JsonMapper.shared().createObjectNode();
        root.put("benchmark", "sharing");
        root.put("time", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        root.put("commit", machine.commit());
        root.put("dirty", machine.isChanged());
        root.put("java", machine.java());
        root.put("processor", machine.processor());
        root.put("backend", engine.backend().name());
        root.put("device", engine.backend().description());
        root.put("model", model);
        root.put("layers", engine.spec().layers());
        root.put("kv_type", engine.kvType().toString());
        root.put("strategy", engine.options().cache().toString());
        root.put("forced_hit_rate", hitRate);
        root.put("context_tokens", contextTokens);
        root.put("batch", batch);
        root.put("steps", steps);
        root.put("read_seconds", readSeconds);
        root.put("question_tokens", questionTokens);
        root.put("question_first_token_seconds", questionSeconds);
        root.put("turn_tokens", turnTokens);
        root.put("turn_first_token_seconds", turnSeconds);
        ObjectNode questions = root.putObject("questions_at_once");
        questions.put("count", batch);
        questions.put("earliest_first_token_seconds", together.earliest());
        questions.put("mean_first_token_seconds", together.mean());
        questions.put("latest_first_token_seconds", together.latest());
        root.put("reading_gap_ms", engine.options().readingGap().toMillis());
        root.put("read_while_decoding_seconds", readWhileDecodingSeconds);
        if (saved != null) {
            ObjectNode node = root.putObject("saved");
            node.put("bytes", saved.bytes());
            node.put("save_seconds", saved.saveSeconds());
            node.put("open_seconds", saved.openSeconds());
            node.put("open_first_token_seconds", saved.openFirstTokenSeconds());
        }
        gaps(root.putObject("gap_greedy"), greedy);
        gaps(root.putObject("gap_sampled"), sampled);
        gaps(root.putObject("gap_sampled_top_k_64"), topK);
        gaps(root.putObject("gap_mixed_contexts"), mixed);
        gaps(root.putObject("gap_while_reading"), whileReading);
        return root;
    }

    private static void gaps(ObjectNode node, long[] gaps) {
        node.put("count", gaps.length);
        for (double share : new double[] {0.5, 0.9, 0.99, 1}) {
            node.put("p" + Math.round(share * 100) + "_ms", quantile(gaps, share) * 1e3);
        }
    }
}
