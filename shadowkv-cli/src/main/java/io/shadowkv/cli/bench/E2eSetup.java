package io.shadowkv.cli.bench;

import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/// What all runs of one command share, for the table's head and every JSON line.
///
/// @param model a checkpoint's name, or a known shape's
/// @param isRandom true if the weights are random
/// @param layers decoder layers that ran
/// @param weightType of most weights
/// @param kvType of keys and values
/// @param prefillRows rows of a prompt computed at a time
/// @param valuePlace where offloaded values were to lie
/// @param backend its name
/// @param device what runs, as the backend describes it
/// @param ceilings measured before the runs; null if they were not
/// @param clonesPrefill true if one prompt was read and copied into every slot
/// @param forcedHitRate of a synthetic selection; empty for the model's own
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
        boolean clonesPrefill,
        OptionalDouble forcedHitRate,
        long seed) {}
