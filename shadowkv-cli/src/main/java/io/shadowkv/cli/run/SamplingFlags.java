package io.shadowkv.cli.run;

import io.shadowkv.checkpoint.GenerationConfig;
import io.shadowkv.cli.option.CacheFlags;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.sampling.SamplingOptions;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Options that say how tokens are drawn and when generation ends; a mixin of `run`.
///
/// What is not given comes from the checkpoint's `generation_config.json`, which counts only if it says
/// `do_sample`.
final class SamplingFlags {
    private static final int DEFAULT_NEW_TOKENS = 512;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--temperature",
            paramLabel = "T",
            description = "0 takes the most likely token. Default: the checkpoint's, else 0.")
    private @Nullable Double temperature;

    @Option(names = "--top-k", paramLabel = "N", description = "Draw among the N most likely tokens; 0 is off.")
    private @Nullable Integer topK;

    @Option(
            names = "--top-p",
            paramLabel = "P",
            description = "Draw among the most likely tokens that add up to P; 1 is off.")
    private @Nullable Double topP;

    @Option(
            names = "--min-p",
            paramLabel = "P",
            description = "Drop tokens less likely than P times the most likely one; 0 is off.")
    private @Nullable Double minP;

    @Option(
            names = "--repetition-penalty",
            paramLabel = "X",
            description = "Above 1: tokens that occurred become less likely.")
    private @Nullable Double repetitionPenalty;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "0",
            description = "Same seed, same text. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(
            names = {"-n", "--max-new-tokens"},
            paramLabel = "N",
            description = "Generate at most N tokens. Default: " + DEFAULT_NEW_TOKENS + ", or what the context leaves.")
    private @Nullable Integer maxNewTokens;

    @Option(names = "--stop", paramLabel = "TEXT", description = "End where TEXT appears; may be given several times.")
    private List<String> stop = List.of();

    @Option(names = "--ignore-eos", description = "Go on after the checkpoint's end-of-sequence tokens.")
    private boolean ignoreEos;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    SamplingFlags() {}

    /// Refuses values that are out of range, before a model is loaded for them.
    void check() {
        CacheFlags.checked(command, () -> options(null, Integer.MAX_VALUE));
    }

    /// True if the user said when an answer ends.
    boolean statesEnd() {
        return maxNewTokens != null || !stop.isEmpty() || ignoreEos;
    }

    /// The options asked for.
    ///
    /// @param checkpoint what the checkpoint recommends; null if unknown yet
    /// @param roomTokens no more tokens than these; at least 1
    GenerationOptions options(@Nullable GenerationConfig checkpoint, int roomTokens) {
        int most = maxNewTokens != null ? maxNewTokens : defaultNewTokens(checkpoint);
        return GenerationOptions.DEFAULT
                .withMaxNewTokens(Math.min(most, roomTokens))
                .withSampling(sampling(checkpoint))
                .withStopStrings(stop)
                .withIgnoreEos(ignoreEos);
    }

    private static int defaultNewTokens(@Nullable GenerationConfig checkpoint) {
        return checkpoint == null
                ? DEFAULT_NEW_TOKENS
                : checkpoint.maxNewTokens().orElse(DEFAULT_NEW_TOKENS);
    }

    private SamplingOptions sampling(@Nullable GenerationConfig checkpoint) {
        SamplingOptions greedy = SamplingOptions.GREEDY;
        GenerationConfig sampled = checkpoint != null && checkpoint.doSample().orElse(false) ? checkpoint : null;
        return new SamplingOptions(
                temperature != null
                        ? temperature
                        : sampled == null
                                ? greedy.temperature()
                                : sampled.temperature().orElse(1),
                topK != null
                        ? topK
                        : sampled == null ? greedy.topK() : sampled.topK().orElse(50),
                topP != null
                        ? topP
                        : sampled == null ? greedy.topP() : sampled.topP().orElse(1),
                minP != null
                        ? minP
                        : sampled == null ? greedy.minP() : sampled.minP().orElse(0),
                repetitionPenalty != null
                        ? repetitionPenalty
                        : checkpoint == null
                                ? greedy.repetitionPenalty()
                                : checkpoint.repetitionPenalty().orElse(greedy.repetitionPenalty()),
                seed);
    }
}
