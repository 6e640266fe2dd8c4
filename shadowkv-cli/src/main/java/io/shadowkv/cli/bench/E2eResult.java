package io.shadowkv.cli.bench;

import io.shadowkv.engine.MemoryPlan;
import io.shadowkv.op.OperationKind;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// What one run, a method at a length, showed.
///
/// @param method `full` or `shadowkv`
/// @param strategy the method with its parameters
/// @param contextTokens tokens of each prompt
/// @param batch sequences that decoded together
/// @param batchIsLargest true if the memory plan admits no more
/// @param keptWhole true if ShadowKV kept the whole prompt because it fits what stays resident
/// @param deviceValueLayers layers whose offloaded values lie in device memory
/// @param hitRate share of selected units that were resident; NaN where nothing is selected
/// @param bytes what a step moves at least
record E2eResult(
        String method,
        String strategy,
        int contextTokens,
        int batch,
        boolean batchIsLargest,
        boolean keptWhole,
        int deviceValueLayers,
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
    /// @param partSeconds what its operations took, by part
    /// @param indexSeconds factorising, indexing and offloading
    /// @param waitedSeconds how long reading waited for that; less where it runs beside the main queue
    /// @param prompts read one after the other
    /// @param allSeconds all prompts until all sequences were ready to decode, copies included
    record Prefill(
            double firstTokenSeconds,
            Map<OperationKind, Double> partSeconds,
            double indexSeconds,
            double waitedSeconds,
            int prompts,
            double allSeconds) {
        Prefill {
            partSeconds = Map.copyOf(partSeconds);
        }

        double attentionSeconds() {
            return partSeconds.getOrDefault(OperationKind.ATTENTION, 0.0);
        }

        /// What is neither attention nor waiting for the index.
        double restSeconds() {
            return Math.max(0, firstTokenSeconds - attentionSeconds() - waitedSeconds);
        }
    }

    /// Decode steps.
    ///
    /// @param nanos of each timed step, ascending
    /// @param partSeconds what each part of a step takes, from further steps that were not replayed; parts that
    ///     run side by side may take more together than a step
    record Steps(long[] nanos, Map<OperationKind, Double> partSeconds) {
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

    /// Bytes while the batch decodes.
    ///
    /// @param plannedDevice in device memory: weights where the backend copies them, sequences, a step's buffers
    /// @param measuredDevice what was taken there
    /// @param plannedHost values in host memory
    /// @param measuredHost what was taken there
    /// @param plannedParts what the plan consists of: one sequence's parts, and what all share
    /// @param allocatedParts what the engine and all sequences hold
    record Memory(
            long plannedDevice,
            long measuredDevice,
            long plannedHost,
            long measuredHost,
            List<MemoryPlan.Item> plannedParts,
            List<MemoryPlan.Item> allocatedParts) {
        Memory {
            plannedParts = List.copyOf(plannedParts);
            allocatedParts = List.copyOf(allocatedParts);
        }
    }
}
