package io.shadowkv.cli.bench;

import java.util.Collections;
import java.util.List;
import java.util.OptionalDouble;

/// What to run, checked.
///
/// @param contexts tokens of each prompt, one table each
/// @param runsFull measure full attention
/// @param runsShadow measure ShadowKV
/// @param clonesPrefill read one prompt and copy it into every slot, instead of a prompt for each
/// @param forcedHitRate of a synthetic selection; empty for the model's own
record E2eOptions(
        List<Integer> contexts,
        boolean runsFull,
        boolean runsShadow,
        BatchSize batch,
        int warmupSteps,
        int timedSteps,
        int profiledSteps,
        boolean clonesPrefill,
        OptionalDouble forcedHitRate,
        long seed) {
    E2eOptions {
        contexts = List.copyOf(contexts);
        for (int tokens : contexts) {
            if (Collections.frequency(contexts, tokens) > 1) {
                throw new IllegalArgumentException(
                        "--context has %,d tokens more than once; give every length once".formatted(tokens));
            }
        }
        if (warmupSteps < 0) {
            throw new IllegalArgumentException("--warmup is " + warmupSteps + "; expected 0 or more");
        }
        if (timedSteps < 1) {
            throw new IllegalArgumentException("--steps is " + timedSteps + "; expected 1 or more");
        }
        if (profiledSteps < 0) {
            throw new IllegalArgumentException("--profiled-steps is " + profiledSteps + "; expected 0 (off) or more");
        }
        if (forcedHitRate.isPresent() && !(forcedHitRate.getAsDouble() >= 0 && forcedHitRate.getAsDouble() <= 1)) {
            throw new IllegalArgumentException(
                    "--hit-rate is " + forcedHitRate.getAsDouble() + "; expected 0 to 1, such as 0.6");
        }
        if (forcedHitRate.isPresent() && !runsShadow) {
            throw new IllegalArgumentException(
                    "--hit-rate given with --method full, which selects nothing; leave it out or use --method both");
        }
    }

    int steps() {
        return warmupSteps + timedSteps + profiledSteps;
    }

    /// Tokens a sequence may reach: its prompt, a first token, and one a step.
    int capacity(int contextTokens) {
        return Math.addExact(contextTokens, Math.addExact(steps(), 1));
    }
}
