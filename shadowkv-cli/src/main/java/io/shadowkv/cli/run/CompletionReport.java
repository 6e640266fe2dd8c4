package io.shadowkv.cli.run;

import io.shadowkv.cli.process.ByteSize;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.MemoryPlan.SequenceBytes;
import java.util.Locale;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// The statistics of a completion, as a line of text and as JSON.
final class CompletionReport {
    private CompletionReport() {}

    /// True if the answer was interrupted before its prompt was read; the number of tokens read is
    /// then unknown.
    static boolean endsInPrompt(Completion completion) {
        return completion.finish() == Completion.FinishReason.CANCELLED && completion.ids().length == 0;
    }

    /// One line with tokens, seconds, speed, planned and measured bytes, hit rate, and the share of
    /// attention that sparse prefill computed in each layer, in percent.
    static String line(Completion completion, String method) {
        if (endsInPrompt(completion)) {
            return String.format(
                    Locale.ROOT,
                    "%s: interrupted while reading %,d tokens; nothing was generated",
                    method,
                    completion.promptTokens());
        }
        Completion.Timings timings = completion.timings();
        Completion.CacheReport cache = completion.cache();
        double seconds = timings.prefillNanos() / 1e9;
        var line = new StringBuilder(String.format(
                Locale.ROOT,
                "%s: read %,d tokens in %.2f s (%,.0f tok/s)",
                method,
                completion.promptTokens(),
                seconds,
                completion.promptTokens() / seconds));
        line.append(String.format(Locale.ROOT, ", generated %,d", completion.ids().length));
        if (timings.decodeSteps() > 0) {
            line.append(String.format(Locale.ROOT, " at %.1f tok/s", timings.decodeTokensPerSecond()));
        }
        line.append("; keys and values: ")
                .append(bytes(
                        "resident", cache.measured().resident(), cache.planned().resident()));
        if (cache.measured().offloaded() > 0 || cache.planned().offloaded() > 0) {
            line.append(", ")
                    .append(bytes(
                            "offloaded",
                            cache.measured().offloaded(),
                            cache.planned().offloaded()));
        }
        if (cache.selectedUnits() > 0) {
            line.append(String.format(Locale.ROOT, "; hit rate %.0f %%", 100 * cache.hitRate()));
        } else if (cache.keptWhole() && method.startsWith("shadowkv")) {
            line.append("; short enough to stay resident");
        }
        if (!completion.densities().isEmpty()) {
            line.append(String.format(
                    Locale.ROOT,
                    "; %.0f %% of attention computed in prefill, by layer",
                    100 * completion.prefillDensity()));
            completion
                    .densities()
                    .forEach(layer -> line.append(String.format(Locale.ROOT, " %.0f", 100 * layer.share())));
        }
        if (completion.finish() == Completion.FinishReason.CANCELLED) {
            line.append("; interrupted");
        }
        return line.toString();
    }

    private static String bytes(String where, long measured, long planned) {
        return ByteSize.text(measured) + " " + where + " (planned " + ByteSize.text(planned) + ")";
    }

    /// All statistics of a completion; a value that does not exist is null.
    static ObjectNode json(Completion completion, String method) {
        ObjectNode root = JsonMapper.shared().createObjectNode();
        root.put("method", method);
        root.put("prompt_tokens", completion.promptTokens());
        root.put("generated_tokens", completion.ids().length);
        root.put("text", completion.text());
        ArrayNode ids = root.putArray("ids");
        for (int id : completion.ids()) {
            ids.add(id);
        }
        root.put("finish", completion.finish().name().toLowerCase(Locale.ROOT));
        Completion.Timings timings = completion.timings();
        ObjectNode time = root.putObject("timings");
        boolean isRead = !endsInPrompt(completion);
        number(time, "prefill_seconds", isRead ? timings.prefillNanos() / 1e9 : Double.NaN);
        number(time, "seal_seconds", isRead ? timings.indexingWaitNanos() / 1e9 : Double.NaN);
        time.put("decode_seconds", timings.decodeNanos() / 1e9);
        time.put("decode_steps", timings.decodeSteps());
        number(time, "decode_tokens_per_second", timings.decodeTokensPerSecond());
        Completion.CacheReport cache = completion.cache();
        ObjectNode kept = root.putObject("cache");
        bytes(kept.putObject("planned"), cache.planned());
        bytes(kept.putObject("measured"), cache.measured());
        kept.put("selected_units", cache.selectedUnits());
        kept.put("missed_units", cache.missedUnits());
        number(kept, "hit_rate", cache.hitRate());
        kept.put("kept_whole", cache.keptWhole());
        root.put("prefill_density", completion.prefillDensity());
        ArrayNode layers = root.putArray("prefill_density_by_layer");
        completion.densities().forEach(layer -> layers.add(layer.share()));
        return root;
    }

    private static void bytes(ObjectNode target, SequenceBytes bytes) {
        target.put("resident_bytes", bytes.resident());
        target.put("offloaded_bytes", bytes.offloaded());
    }

    /// JSON has no NaN.
    private static void number(ObjectNode target, String name, double value) {
        if (Double.isFinite(value)) {
            target.put(name, value);
        } else {
            target.putNull(name);
        }
    }
}
