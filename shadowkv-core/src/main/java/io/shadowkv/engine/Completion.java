package io.shadowkv.engine;

/// What came of a request.
///
/// @param promptTokens tokens read (for a later turn of a conversation: the turn's own)
/// @param ids generated ids, an end-of-sequence id included if it ended the sequence
/// @param text generated text without special tokens and without a stop string; empty where the checkpoint has
///     no tokenizer
/// @param finish why it ended
/// @param timings how long it took
/// @param cache what the cache held
public record Completion(
        int promptTokens, int[] ids, String text, FinishReason finish, Timings timings, CacheReport cache) {
    /// Why a sequence ended.
    public enum FinishReason {
        END_OF_SEQUENCE,
        STOP_STRING,
        /// The answer has the length asked for, or the context (of a conversation: its capacity) is full.
        MAX_NEW_TOKENS,
        CANCELLED
    }

    /// @param prefillNanos reading the prompt until the first token's logits
    /// @param indexingWaitNanos part of `prefillNanos` that the strategy spent beyond exact attention
    ///     (factorisation, offloading)
    /// @param decodeNanos all decode steps
    /// @param decodeSteps tokens that went through decode
    public record Timings(long prefillNanos, long indexingWaitNanos, long decodeNanos, int decodeSteps) {
        /// Tokens a second of this sequence while decoding; NaN before the first step.
        public double decodeTokensPerSecond() {
            return decodeSteps == 0 ? Double.NaN : decodeSteps * 1e9 / decodeNanos;
        }
    }

    /// Bytes and selections of one sequence at its end.
    ///
    /// @param planned what the memory plan promised for this sequence
    /// @param measured what was allocated
    /// @param selectedUnits units selected over all steps, layers and heads
    /// @param missedUnits those that had to be fetched and rebuilt
    /// @param keptWhole true if the sequence fitted and nothing was selected
    public record CacheReport(
            MemoryPlan.SequenceBytes planned,
            MemoryPlan.SequenceBytes measured,
            long selectedUnits,
            long missedUnits,
            boolean keptWhole) {
        /// Share of selected units that were resident already; NaN if nothing was selected.
        public double hitRate() {
            return selectedUnits == 0 ? Double.NaN : 1 - (double) missedUnits / selectedUnits;
        }
    }
}
