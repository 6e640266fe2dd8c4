package io.shadowkv.engine;

import io.shadowkv.sampling.SamplingOptions;
import java.util.List;

/// When generation ends and how tokens are drawn.
///
/// @param maxNewTokens at most so many tokens, 1 or more
/// @param sampling how each token is drawn
/// @param stopStrings generation ends where one appears; the text ends before it
/// @param ignoreEos true goes on through the checkpoint's end-of-sequence ids
public record GenerationOptions(
        int maxNewTokens, SamplingOptions sampling, List<String> stopStrings, boolean ignoreEos) {
    /// Greedy, up to 128 tokens, until the checkpoint's end of sequence.
    public static final GenerationOptions DEFAULT =
            new GenerationOptions(128, SamplingOptions.GREEDY, List.of(), false);

    public GenerationOptions {
        if (maxNewTokens < 1) {
            throw new IllegalArgumentException("max new tokens is " + maxNewTokens + "; expected 1 or more");
        }
        stopStrings = List.copyOf(stopStrings);
        if (stopStrings.stream().anyMatch(String::isEmpty)) {
            throw new IllegalArgumentException("a stop string is empty; it would stop before the first character");
        }
    }

    public GenerationOptions withMaxNewTokens(int tokens) {
        return new GenerationOptions(tokens, sampling, stopStrings, ignoreEos);
    }

    public GenerationOptions withSampling(SamplingOptions options) {
        return new GenerationOptions(maxNewTokens, options, stopStrings, ignoreEos);
    }

    public GenerationOptions withStopStrings(List<String> strings) {
        return new GenerationOptions(maxNewTokens, sampling, strings, ignoreEos);
    }

    public GenerationOptions withIgnoreEos(boolean ignore) {
        return new GenerationOptions(maxNewTokens, sampling, stopStrings, ignore);
    }
}
