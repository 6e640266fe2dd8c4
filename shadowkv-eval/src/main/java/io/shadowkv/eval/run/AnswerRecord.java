package io.shadowkv.eval.run;

import io.shadowkv.eval.Method;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One answer with everything needed to score and to reproduce it; one line of the log, in snake
/// case.
///
/// The order of `scores` matters: pass a map with a defined order.
///
/// @param key what was asked, with which model and method
/// @param answer the text that the model generated
/// @param answerIds its ids, to compare methods token by token
/// @param references the task's right answers
/// @param scores by metric, each 0 to 1; the first is the task's own, the others are variants of
///     the paper or of the task's script; empty if the answer is reasoning that the next turn
///     quotes
/// @param labels properties of the sample (`depth`, `length`, ...), for tables and maps
/// @param promptHash hash of the ids of all turns of the sample: equal if methods got the same
///     prompts
/// @param promptTokens tokens read for this turn
/// @param prefillSeconds time to the first token for a single sequence: the prefill, which methods
///     that answered together share, and the work that the method adds
/// @param sealSeconds the part of it that the method adds to the reading
/// @param decodeSeconds total time of its batch's decode steps while it was in the batch
/// @param decodeSteps number of these steps
/// @param batch maximum number of sequences that decoded together; fewer when some end sooner
/// @param hitRate share of selected chunks that were resident; null if nothing was selected
/// @param residentBytes keys, values and index in device memory, measured
/// @param offloadedBytes values in host memory, measured
/// @param finish why the answer ended, in lower case
/// @param divergence from full attention; null for full attention itself and if it was not measured
/// @param prefillDensity share of attention that was computed while the prompt was read; null if it was
///     read exactly
/// @param prefillLayers the same for each layer; null if the prompt was read exactly
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
        @Nullable Divergence divergence,
        @Nullable Double prefillDensity,
        @Nullable List<LayerReading> prefillLayers) {
    /// How a layer read the prompt.
    ///
    /// @param density share of attention that was computed
    /// @param keptMass share of exact attention's weights that it holds, the mean over sampled rows; null
    ///     if it was not measured
    public record LayerReading(double density, @Nullable Double keptMass) {}

    /// Identifies an answer; a resumed run skips the keys that the log contains.
    ///
    /// @param model the model's name
    /// @param backend name of the backend
    /// @param kvType type of keys and values
    /// @param task the task's name
    /// @param contextTokens requested maximum of prompt and answer together; 0 if the file
    ///     determines it
    /// @param seed seed of the samples
    /// @param index number of the sample
    /// @param turn number of the turn, from 0
    /// @param method the method of the answer
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

    /// Compares a method's next-token distributions with full attention's, both after the same
    /// tokens: the prompt and full attention's own answer.
    ///
    /// @param positions number of positions compared; the first token is left out, because methods that
    ///     read alike have the same
    /// @param meanKl mean of KL(full || method), in nats
    /// @param maxKl the largest KL
    /// @param topOneAgreement share of positions with the same most likely token
    public record Divergence(int positions, double meanKl, double maxKl, double topOneAgreement) {}

    /// True if the answer has a score.
    public boolean isJudged() {
        return !scores.isEmpty();
    }

    /// The task's own score, 0 to 1.
    public double score() {
        return scores.values().iterator().next();
    }
}
