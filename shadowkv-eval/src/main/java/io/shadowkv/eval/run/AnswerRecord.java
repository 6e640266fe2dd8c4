package io.shadowkv.eval.run;

import io.shadowkv.eval.Method;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One answer with all that is needed to judge and to repeat it; one line of the log, in snake case.
///
/// The order of `scores` matters, so make it a map that keeps one.
///
/// @param key what was asked, of whom
/// @param answer what the model wrote
/// @param answerIds its ids, for comparing methods token by token
/// @param references what the task calls right
/// @param scores by metric, each 0 to 1; the first is the task's own, the others are variants of
///     the paper or of the task's script; empty where the answer is thoughts that the next turn
///     quotes
/// @param labels what the sample says of itself (`depth`, `length`, ...), for tables and maps
/// @param promptHash of the ids of all turns of the sample: equal where methods were asked the same
/// @param promptTokens tokens read for this turn
/// @param prefillSeconds until the first token, as one sequence would wait: reading, shared by the methods
///     that answered together, and what the method adds
/// @param sealSeconds part of it beyond exact attention
/// @param decodeSeconds all decode steps of its batch while it was in it
/// @param decodeSteps their number
/// @param batch sequences that decoded together, at most: fewer where some end sooner
/// @param hitRate share of selected chunks that were resident; null if nothing was selected
/// @param residentBytes keys, values and index in device memory, measured
/// @param offloadedBytes values in host memory, measured
/// @param finish why the answer ended, in lower case
/// @param divergence from full attention; null for full attention itself and where it was not measured
public record AnswerRecord(
        Key key,
        String answer,
        List<Integer> answerIds,
        List<String> references,
        Map<String, Double> scores,
        Map<String, String> labels,
        String promptHash,
        int promptTokens,
        double prefillSeconds,
        double sealSeconds,
        double decodeSeconds,
        int decodeSteps,
        int batch,
        @Nullable Double hitRate,
        long residentBytes,
        long offloadedBytes,
        String finish,
        @Nullable Divergence divergence) {
    /// What tells an answer from every other one; a resumed run skips the keys it finds.
    ///
    /// @param model the model's name
    /// @param backend what computed
    /// @param kvType type of keys and values
    /// @param task the task's name
    /// @param contextTokens tokens of prompt and answer together that were asked for; 0 where the file
    ///     decides
    /// @param seed of the samples
    /// @param index number of the sample
    /// @param turn number of the turn, from 0
    /// @param method who answered
    public record Key(
            String model,
            String backend,
            String kvType,
            String task,
            int contextTokens,
            long seed,
            int index,
            int turn,
            Method method) {
        /// The key of another turn of the same sample.
        public Key atTurn(int number) {
            return new Key(model, backend, kvType, task, contextTokens, seed, index, number, method);
        }
    }

    /// Next-token distributions of a method beside those of full attention, both after the same tokens:
    /// the prompt and full attention's own answer.
    ///
    /// @param positions compared; the first token's is left out, since prefill is exact under every method
    /// @param meanKl mean of KL(full || method), in nats
    /// @param maxKl the largest
    /// @param topOneAgreement share of positions whose likeliest token is the same
    public record Divergence(int positions, double meanKl, double maxKl, double topOneAgreement) {}

    /// Whether the answer has a score.
    public boolean isJudged() {
        return !scores.isEmpty();
    }

    /// The task's own score, 0 to 1.
    public double score() {
        return scores.values().iterator().next();
    }
}
