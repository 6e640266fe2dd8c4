package io.shadowkv.cli.bench;

import io.shadowkv.op.timing.Part;
import java.util.Arrays;
import java.util.Map;

/// What one run, a method at a length, showed.
///
/// @param method `full` or `shadowkv`
/// @param strategy the method with its parameters
/// @param contextTokens tokens of each prompt
/// @param batch sequences that decoded together
/// @param batchIsLargest true if the memory plan admits no more
/// @param keptWhole true if ShadowKV kept the whole prompt because it fits what stays resident
/// @param hitRate share of selected units that were resident; NaN where nothing is selected
/// @param bytes what a step moves at least
record E2eResult(
        String method,
        String strategy,
        int contextTokens,
        int batch,
        boolean batchIsLargest,
        boolean keptWhole,
        Prefill prefill,
        Steps steps,
        double hitRate,
        StepBytes bytes,
        Memory memory) {
    /// Tokens a second of all sequences together.
    double tokensPerSecond() {
        return batch / steps.medianSeconds();
    }

    /// Reading prompts.
    ///
    /// @param firstTokenSeconds from the first prompt to its first token
    /// @param attentionSeconds of it exact attention
    /// @param indexSeconds of it factorising, indexing and offloading; beside the rest where `indexIsBeside`
    /// @param indexIsBeside true if indexing runs beside the main queue
    /// @param prompts read one after the other
    /// @param allSeconds all prompts until all sequences were ready to decode, copies included
    record Prefill(
            double firstTokenSeconds,
            double attentionSeconds,
            double indexSeconds,
            boolean indexIsBeside,
            int prompts,
            double allSeconds) {
        /// What is neither attention nor indexing.
        double restSeconds() {
            return Math.max(0, firstTokenSeconds - attentionSeconds - (indexIsBeside ? 0 : indexSeconds));
        }
    }

    /// Decode steps.
    ///
    /// @param nanos of each timed step, ascending
    /// @param partSeconds what each part of a step takes, measured in further steps that were not replayed; parts that
    ///     run side by side may take more together than a step
    record Steps(long[] nanos, Map<Part, Double> partSeconds) {
        Steps {
            nanos = nanos.clone();
            Arrays.sort(nanos);
            partSeconds = Map.copyOf(partSeconds);
        }

        double medianSeconds() {
            return (nanos[(nanos.length - 1) / 2] + nanos[nanos.length / 2]) / 2e9;
        }

        /// The time that a share of the steps stays below, by nearest rank.
        double quantileSeconds(double share) {
            int rank = (int) Math.ceil(share * nanos.length);
            return nanos[Math.clamp(rank - 1, 0, nanos.length - 1)] / 1e9;
        }
    }

    /// Bytes at the end of the run; host bytes are 0 where both places are the same memory and nothing is offloaded.
    ///
    /// @param plannedDevice weights (where copied), workspace and sequences near the arithmetic
    /// @param measuredDevice what was taken there
    /// @param plannedHost offloaded values
    /// @param measuredHost what was taken in host memory
    record Memory(long plannedDevice, long measuredDevice, long plannedHost, long measuredHost) {}
}
