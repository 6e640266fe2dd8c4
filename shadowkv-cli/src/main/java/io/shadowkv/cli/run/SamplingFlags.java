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

/// Options for how tokens are sampled and when generation ends; a mixin of `run`.
///
/// Options that are not given come from the checkpoint's `generation_config.json`, if it sets
/// `do_sample`.
final class SamplingFlags {
    private static final int DEFAULT_NEW_TOKENS = 512;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--temperature",
            paramLabel = "T",
            description = "0 always takes the most likely token. Default: the checkpoint's, otherwise 0.")
    private @Nullable Double temperature;

    @Option(names = "--top-k", paramLabel = "N", description = "Sample from the N most likely tokens; 0 is off.")
    private @Nullable Integer topK;

    @Option(
            names = "--top-p",
            paramLabel = "P",
            description = "Sample from the most likely tokens whose probabilities add up to P; 1 is off.")
    private @Nullable Double topP;

    @Option(
            names = "--min-p",
            paramLabel = "P",
            description = "Exclude tokens less likely than P times the most likely one; 0 is off.")
    private @Nullable Double minP;

    @Option(
            names = "--repetition-penalty",
            paramLabel = "X",
            description = "Values above 1 make tokens that occurred less likely.")
    private @Nullable Double repetitionPenalty;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "0",
            description = "Seed of sampling; the same seed gives the same text. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(
            names = {"-n", "--max-new-tokens"},
            paramLabel = "N",
            description =
                    "Generate at most N tokens. Default: " + DEFAULT_NEW_TOKENS + ", or as many as fit the context.")
    private @Nullable Integer maxNewTokens;

    @Option(names = "--stop", paramLabel = "TEXT", description = "End at TEXT; may be given several times.")
    private List<String> stop = List.of();

    @Option(names = "--ignore-eos", description = "Continue after the checkpoint's end-of-sequence tokens.")
    private boolean ignoreEos;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    SamplingFlags() {}

    /// Refuses values that are out of range, before a model is loaded.
    void check() {
        CacheFlags.checked(command, () -> options(null, Integer.MAX_VALUE));
    }

    /// True if the user has set an end of the answer.
    boolean statesEnd() {
        return maxNewTokens != null || !stop.isEmpty() || ignoreEos;
    }

    /// The given options.
    ///
    /// @param checkpoint the checkpoint's recommendation; null if not yet known
    /// @param roomTokens maximum number of tokens; at least 1
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
