package io.shadowkv.cli.bench.e2e;

import io.shadowkv.cache.prefill.LayerDensity;
import io.shadowkv.engine.MemoryPlan;
import io.shadowkv.op.OperationKind;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// The result of one run: one method at one length.
///
/// @param method `full` or `shadowkv`
/// @param strategy the method with its parameters
/// @param contextTokens tokens of each prompt
/// @param batch sequences that decoded together
/// @param batchIsLargest true if the memory plan admits no larger batch
/// @param keptWhole true if ShadowKV kept the whole prompt because it fits the resident set
/// @param deviceValueLayers layers whose offloaded values are in device memory
/// @param hitRate share of the selected units that were resident; NaN if nothing is selected
/// @param bytes minimum number of bytes that a step moves
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
    /// Tokens per second of all sequences together.
    double tokensPerSecond() {
        return batch / steps.medianSeconds();
    }

    /// Prefill of the prompts.
    ///
    /// @param firstTokenSeconds time from the start of the first prompt to its first token
    /// @param partSeconds time of its operations, by part
    /// @param indexSeconds time of factorising, indexing and offloading
    /// @param waitedSeconds time that prefill waited for indexing, which is less than
    ///     `indexSeconds` if indexing runs at the same time as the main queue
    /// @param selectionSeconds time of choosing the keys that rows attend to: mean keys, scores and
    ///     lists. ShadowKV's indexing includes the time of the mean keys
    /// @param densities share of attention that was computed in each layer; empty if prompts were read
    ///     exactly
    /// @param prompts number of prompts, read one after the other
    /// @param allSeconds time until all sequences were ready to decode, copies included
    record Prefill(
            double firstTokenSeconds,
            Map<OperationKind, Double> partSeconds,
            double indexSeconds,
            double waitedSeconds,
            double selectionSeconds,
            List<LayerDensity> densities,
            int prompts,
            double allSeconds) {
        Prefill {
            partSeconds = Map.copyOf(partSeconds);
            densities = List.copyOf(densities);
        }

        /// Share of attention that was computed, over all layers; 1 if prompts were read exactly.
        double density() {
            return LayerDensity.sum(densities).share();
        }

        double attentionSeconds() {
            return partSeconds.getOrDefault(OperationKind.ATTENTION, 0.0);
        }

        /// Time that is neither attention, nor choosing keys, nor waiting for the index.
        double restSeconds() {
            return Math.max(0, firstTokenSeconds - attentionSeconds() - selectionSeconds - waitedSeconds);
        }
    }

    /// Decode steps.
    ///
    /// @param nanos time of each timed step, ascending
    /// @param partSeconds time of each part of a step, from additional steps that were not
    ///     replayed; parts that overlap may take more time together than a step
    record Steps(long[] nanos, Map<OperationKind, Double> partSeconds) {
        Steps {
            nanos = nanos.clone();
            Arrays.sort(nanos);
            partSeconds = Map.copyOf(partSeconds);
        }

        double medianSeconds() {
            return (nanos[(nanos.length - 1) / 2] + nanos[nanos.length / 2]) / 2e9;
        }

        /// The time that the given share of the steps does not exceed, by nearest rank.
        double quantileSeconds(double share) {
            int rank = (int) Math.ceil(share * nanos.length);
            return nanos[Math.clamp(rank - 1, 0, nanos.length - 1)] / 1e9;
        }
    }

    /// Memory while the batch decodes, in bytes.
    ///
    /// @param plannedDevice planned device memory: weights if the backend copies them, sequences,
    ///     and the buffers of a step
    /// @param measuredDevice device memory in use
    /// @param plannedHost planned host memory for values
    /// @param measuredHost host memory in use for values
    /// @param plannedParts items of the plan: those of one sequence, and those that all share
    /// @param allocatedParts allocations of the engine and of all sequences
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
