package io.shadowkv.eval;

import io.shadowkv.engine.Completion;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// One answer with all that is needed to judge and to repeat it; one line of the log.
///
/// @param key what was asked, of whom
/// @param answer what the model wrote
/// @param references what a right answer contains
/// @param score 0 to 1
/// @param promptTokens tokens read
/// @param prefillSeconds reading them, shared by the methods that answered together, and what the method adds
/// @param sealSeconds part of it beyond exact attention
/// @param decodeSeconds all decode steps
/// @param decodeSteps their number
/// @param hitRate share of selected chunks that were resident; null if nothing was selected
/// @param residentBytes keys, values and index near the arithmetic, measured
/// @param offloadedBytes values in host memory, measured
/// @param finish why the answer ended
public record AnswerRecord(
        Key key,
        String answer,
        List<String> references,
        double score,
        int promptTokens,
        double prefillSeconds,
        double sealSeconds,
        double decodeSeconds,
        int decodeSteps,
        @Nullable Double hitRate,
        long residentBytes,
        long offloadedBytes,
        String finish) {
    /// What tells an answer from every other one; a resumed run skips the keys it finds.
    ///
    /// @param model the model's name
    /// @param task the task's name
    /// @param contextTokens tokens of prompt and answer together
    /// @param seed of the samples
    /// @param index number of the sample
    /// @param method `full` or `shadowkv`
    /// @param settings the method's parameters, types and backend
    public record Key(
            String model, String task, int contextTokens, long seed, int index, String method, String settings) {}

    static AnswerRecord of(Key key, Sample.Turn turn, Completion completion) {
        Completion.Timings timings = completion.timings();
        Completion.CacheReport cache = completion.cache();
        double hitRate = cache.hitRate();
        return new AnswerRecord(
                key,
                completion.text(),
                turn.references(),
                Scores.stringMatchAll(completion.text(), turn.references()),
                completion.promptTokens(),
                timings.prefillNanos() / 1e9,
                timings.sealNanos() / 1e9,
                timings.decodeNanos() / 1e9,
                timings.decodeSteps(),
                Double.isNaN(hitRate) ? null : hitRate,
                cache.measured().resident(),
                cache.measured().offloaded(),
                completion.finish().name().toLowerCase(Locale.ROOT));
    }
}
