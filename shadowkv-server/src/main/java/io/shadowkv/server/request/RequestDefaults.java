package io.shadowkv.server.request;

import io.shadowkv.checkpoint.GenerationConfig;
import io.shadowkv.sampling.SamplingOptions;
import java.util.Optional;

/// What holds for fields that a request leaves out.
///
/// @param sampling how tokens are drawn
/// @param newTokens maximum number of tokens of an answer
/// @param maxChoices maximum number of sequences that one request may generate
public record RequestDefaults(SamplingOptions sampling, int newTokens, int maxChoices) {
    /// The defaults of a checkpoint, whose sampling recommendations count only if it says
    /// `do_sample`.
    ///
    /// @param newTokens used if the checkpoint recommends no number
    public static RequestDefaults of(Optional<GenerationConfig> recommended, int newTokens, int maxChoices) {
        SamplingOptions greedy = SamplingOptions.GREEDY;
        double penalty = recommended
                .map(config -> config.repetitionPenalty().orElse(greedy.repetitionPenalty()))
                .orElse(greedy.repetitionPenalty());
        SamplingOptions sampling = recommended
                .filter(config -> config.doSample().orElse(false))
                .map(config -> new SamplingOptions(
                        config.temperature().orElse(1),
                        config.topK().orElse(50),
                        config.topP().orElse(1),
                        config.minP().orElse(0),
                        penalty,
                        0))
                .orElse(new SamplingOptions(0, 0, 1, 0, penalty, 0));
        int most = recommended
                .map(config -> config.maxNewTokens().orElse(newTokens))
                .orElse(newTokens);
        return new RequestDefaults(sampling, most, maxChoices);
    }
}
