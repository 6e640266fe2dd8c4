package io.shadowkv.engine;

import io.shadowkv.sampling.SamplingOptions;
import java.util.List;

/// Options of generation: when it ends and how tokens are drawn.
///
/// @param maxNewTokens maximum number of tokens to generate, 1 or more
/// @param sampling how each token is drawn
/// @param stopStrings generation ends when one of them appears; the text ends before it
/// @param ignoreEos true to continue after the checkpoint's end-of-sequence ids
/// @param stopIds ids that end generation in addition to the checkpoint's end-of-sequence ids; the
///     text ends before them
/// @param minNewTokens minimum number of tokens before an id may end generation; until then the ids
///     that would end it are excluded from the draw (`min_new_tokens` of Hugging Face
///     transformers). Stop strings end generation at any time
/// @param topLogprobs how many of the most likely tokens to report with log probabilities, in addition
///     to the generated token's own; -1 reports none
public record GenerationOptions(
        int maxNewTokens,
        SamplingOptions sampling,
        List<String> stopStrings,
        boolean ignoreEos,
        List<Integer> stopIds,
        int minNewTokens,
        int topLogprobs) {
    /// Largest number of most likely tokens that are reported.
    public static final int MAX_TOP_LOGPROBS = 1024;

    /// Greedy, up to 128 tokens, until the checkpoint's end of sequence.
    public static final GenerationOptions DEFAULT =
            new GenerationOptions(128, SamplingOptions.GREEDY, List.of(), false, List.of(), 0, -1);

    public GenerationOptions {
        if (maxNewTokens < 1) {
            throw new IllegalArgumentException("max new tokens is " + maxNewTokens + "; expected 1 or more");
        }
        stopStrings = List.copyOf(stopStrings);
        if (stopStrings.stream().anyMatch(String::isEmpty)) {
            throw new IllegalArgumentException("a stop string is empty; it would stop before the first character");
        }
        stopIds = List.copyOf(stopIds);
        if (stopIds.stream().anyMatch(id -> id < 0)) {
            throw new IllegalArgumentException("stop ids are " + stopIds + "; expected ids of tokens, 0 or more");
        }
        if (minNewTokens < 0) {
            throw new IllegalArgumentException(
                    "min new tokens is " + minNewTokens + "; expected 0 (no minimum) or more");
        }
        if (topLogprobs < -1 || topLogprobs > MAX_TOP_LOGPROBS) {
            throw new IllegalArgumentException("top logprobs is " + topLogprobs + "; expected 0 to " + MAX_TOP_LOGPROBS
                    + ", or -1 for no log probabilities");
        }
    }

    public GenerationOptions withMaxNewTokens(int tokens) {
        return new GenerationOptions(tokens, sampling, stopStrings, ignoreEos, stopIds, minNewTokens, topLogprobs);
    }

    public GenerationOptions withSampling(SamplingOptions options) {
        return new GenerationOptions(maxNewTokens, options, stopStrings, ignoreEos, stopIds, minNewTokens, topLogprobs);
    }

    public GenerationOptions withStopStrings(List<String> strings) {
        return new GenerationOptions(maxNewTokens, sampling, strings, ignoreEos, stopIds, minNewTokens, topLogprobs);
    }

    public GenerationOptions withIgnoreEos(boolean ignore) {
        return new GenerationOptions(maxNewTokens, sampling, stopStrings, ignore, stopIds, minNewTokens, topLogprobs);
    }

    public GenerationOptions withStopIds(List<Integer> ids) {
        return new GenerationOptions(maxNewTokens, sampling, stopStrings, ignoreEos, ids, minNewTokens, topLogprobs);
    }

    public GenerationOptions withMinNewTokens(int tokens) {
        return new GenerationOptions(maxNewTokens, sampling, stopStrings, ignoreEos, stopIds, tokens, topLogprobs);
    }

    public GenerationOptions withTopLogprobs(int tokens) {
        return new GenerationOptions(maxNewTokens, sampling, stopStrings, ignoreEos, stopIds, minNewTokens, tokens);
    }
}
