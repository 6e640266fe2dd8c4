package io.shadowkv.eval;

import io.shadowkv.cache.prefill.HeadPatterns;
import io.shadowkv.cache.prefill.PrefillSpec;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// How a method reads prompts if it does not read them exactly; see [PrefillSpec]. Named as in logs.
///
/// @param name `blocks` or `minference`
/// @param threshold threshold of blocks; null for others
/// @param means true if dropped blocks count as their means
/// @param patterns pattern file of minference; null for the usual pattern
/// @param original true for the original estimate of minference
/// @param minTokens a shorter context is read exactly
public record ReadMethod(
        String name,
        @Nullable Double threshold,
        boolean means,
        @Nullable String patterns,
        boolean original,
        int minTokens) {
    /// Null for exact reading.
    static @Nullable ReadMethod of(PrefillSpec spec) {
        return switch (spec) {
            case PrefillSpec.Exact _ -> null;
            case PrefillSpec.Blocks blocks ->
                new ReadMethod(
                        blocks.name(), blocks.threshold(), blocks.countsDropped(), null, false, blocks.minTokens());
            case PrefillSpec.MInference minference ->
                new ReadMethod(
                        minference.name(),
                        null,
                        false,
                        minference.patterns().file(),
                        !minference.isScaled(),
                        minference.minTokens());
            case PrefillSpec.Measured measured -> of(measured.read());
        };
    }

    PrefillSpec spec() {
        return spec(patterns == null ? HeadPatterns.usual() : HeadPatterns.read(Path.of(patterns)));
    }

    private PrefillSpec spec(HeadPatterns heads) {
        return switch (name) {
            case "blocks" -> {
                PrefillSpec.Blocks usual = PrefillSpec.Blocks.DEFAULT;
                yield usual.withThreshold(threshold == null ? usual.threshold() : threshold)
                        .withCountsDropped(means)
                        .withMinTokens(minTokens);
            }
            case "minference" -> new PrefillSpec.MInference(heads, !original, minTokens);
            default ->
                throw new IllegalArgumentException(
                        "'" + name + "' is not a way to read prompts; expected blocks or minference");
        };
    }

    /// The name for readers. Does not read the pattern file, which may be on another machine.
    String label() {
        return spec(patterns == null ? HeadPatterns.usual() : HeadPatterns.named(Path.of(patterns)))
                .label();
    }
}
