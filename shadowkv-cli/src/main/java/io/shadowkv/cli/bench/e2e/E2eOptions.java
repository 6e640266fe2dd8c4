package io.shadowkv.cli.bench.e2e;

import java.util.Collections;
import java.util.List;
import java.util.OptionalDouble;

/// The validated options of a benchmark.
///
/// @param contexts tokens of each prompt, one table per length
/// @param runsFull whether to measure full attention
/// @param runsShadow whether to measure ShadowKV
/// @param clonesPrefill whether to read one prompt and copy it into every slot instead of reading a
///     prompt for each
/// @param forcedHitRate hit rate of a synthetic selection; empty for the model's own
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
                        "--context has %,d tokens more than once; give each length once".formatted(tokens));
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

    /// The same with one length.
    E2eOptions at(int tokens) {
        return new E2eOptions(
                List.of(tokens),
                runsFull,
                runsShadow,
                batch,
                warmupSteps,
                timedSteps,
                profiledSteps,
                clonesPrefill,
                forcedHitRate,
                seed);
    }

    E2eOptions withSeed(long other) {
        return new E2eOptions(
                contexts,
                runsFull,
                runsShadow,
                batch,
                warmupSteps,
                timedSteps,
                profiledSteps,
                clonesPrefill,
                forcedHitRate,
                other);
    }

    int steps() {
        return warmupSteps + timedSteps + profiledSteps;
    }

    /// Largest number of tokens of a sequence: its prompt, the first token, and one token per step.
    int capacity(int contextTokens) {
        return Math.addExact(contextTokens, Math.addExact(steps(), 1));
    }
}
