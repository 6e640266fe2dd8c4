package io.shadowkv.engine;

import io.shadowkv.cache.prefill.LayerDensity;
import io.shadowkv.sampling.TokenLogprobs;
import java.util.List;

/// The result of a request.
///
/// @param promptTokens number of prompt tokens; for a later turn of a conversation, those of the
///     turn
/// @param cachedTokens number of leading tokens that were already in a cache and were not read
///     again, including earlier turns of a conversation
/// @param ids generated ids, including the end-of-sequence id if one ended the sequence
/// @param logprobs log probabilities of each generated token; empty if they were not requested
/// @param text generated text without special tokens and without a stop string; empty if the
///     checkpoint has no tokenizer
/// @param finish why the sequence ended
/// @param timings how long each phase took
/// @param cache memory and selections of the cache
/// @param densities how much of each layer's attention was computed while the prompt was read; empty if
///     it was read exactly
public record Completion(
        int promptTokens,
        int cachedTokens,
        int[] ids,
        List<TokenLogprobs> logprobs,
        String text,
        FinishReason finish,
        Timings timings,
        CacheReport cache,
        List<LayerDensity> densities) {
    /// Share of attention that was computed while the prompt was read, over all layers; 1 if it was read
    /// exactly.
    public double prefillDensity() {
        return LayerDensity.sum(densities).share();
    }

    /// Why a sequence ended.
    public enum FinishReason {
        END_OF_SEQUENCE,
        STOP_STRING,
        /// The answer has the requested length, or the context (in a conversation, its capacity) is
        /// full.
        MAX_NEW_TOKENS,
        CANCELLED,
        /// The request's timeout passed.
        TIMEOUT
    }

    /// @param queuedNanos time from the submission until reading began
    /// @param prefillNanos time to read the prompt, up to the logits of the first token, including
    ///     steps of other sequences in between
    /// @param indexingWaitNanos part of `prefillNanos` that was spent waiting for indexing
    ///     (factorisation, offloading)
    /// @param firstTokenNanos time from the submission to the first token; 0 if there is none
    /// @param decodeNanos time of all decode steps
    /// @param decodeSteps number of decode steps
    public record Timings(
            long queuedNanos,
            long prefillNanos,
            long indexingWaitNanos,
            long firstTokenNanos,
            long decodeNanos,
            int decodeSteps) {
        /// Tokens per second of this sequence in decode; NaN before the first step.
        public double decodeTokensPerSecond() {
            return decodeSteps == 0 ? Double.NaN : decodeSteps * 1e9 / decodeNanos;
        }
    }

    /// Memory and selections of one sequence at its end.
    ///
    /// @param planned bytes that the memory plan assigned to this sequence
    /// @param measured bytes that were allocated
    /// @param selectedUnits units selected over all steps, layers and heads
    /// @param missedUnits selected units that had to be fetched and rebuilt
    /// @param keptWhole true if the sequence fit the resident region, so that nothing was selected
    public record CacheReport(
            MemoryPlan.SequenceBytes planned,
            MemoryPlan.SequenceBytes measured,
            long selectedUnits,
            long missedUnits,
            boolean keptWhole) {
        /// Share of selected units that were already resident; NaN if nothing was selected.
        public double hitRate() {
            return selectedUnits == 0 ? Double.NaN : 1 - (double) missedUnits / selectedUnits;
        }
    }

    /// The text, or the number of ids if there is no text, and why the sequence ended. For logs.
    @Override
    public String toString() {
        String answer = text.isEmpty() ? ids.length + " ids" : "\"" + text + "\"";
        return "Completion[" + answer + ", " + finish + ", " + promptTokens + " prompt tokens, " + ids.length
                + " generated]";
    }
}
