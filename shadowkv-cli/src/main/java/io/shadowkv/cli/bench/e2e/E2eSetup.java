package io.shadowkv.cli.bench.e2e;

import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/// The conditions that all runs of one command share, for the head of the tables and every JSON
/// line.
///
/// @param model name of a checkpoint or of a known shape
/// @param isRandom true if the weights are random
/// @param layers number of decoder layers that ran
/// @param weightType type of most weights
/// @param kvType type of keys and values
/// @param prefillRows rows of a prompt computed at a time
/// @param valuePlace requested place of offloaded values
/// @param backend name of the backend
/// @param device the hardware, as the backend describes it
/// @param ceilings measured before the runs; null if they were not
/// @param prefill how prompts are read
/// @param clonesPrefill true if one prompt was read and copied into every slot
/// @param forcedHitRate hit rate of a synthetic selection; empty for the model's own
/// @param forcedDensity density of a synthetic selection of the keys that prompts read; empty for the
///     model's own
record E2eSetup(
        String model,
        boolean isRandom,
        int layers,
        String weightType,
        String kvType,
        int prefillRows,
        String valuePlace,
        String backend,
        String device,
        @Nullable Ceilings ceilings,
        int warmupSteps,
        int timedSteps,
        int profiledSteps,
        String prefill,
        boolean clonesPrefill,
        OptionalDouble forcedHitRate,
        OptionalDouble forcedDensity,
        long seed) {}
