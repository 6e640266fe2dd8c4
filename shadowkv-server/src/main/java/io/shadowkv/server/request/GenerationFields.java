package io.shadowkv.server.request;

import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.sampling.SamplingOptions;
import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.json.Fields;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.ThreadLocalRandom;
import tools.jackson.databind.JsonNode;

/// What chat and completion requests have in common: how tokens are drawn, and when answers end.
///
/// @param choices number of answers to a prompt (`n`)
/// @param askedTokens the limit that the request gives for an answer; empty if it gives none
/// @param options options of the first answer; its limit on tokens is the default if none is given
/// @param stream how the answer is sent
public record GenerationFields(int choices, OptionalInt askedTokens, GenerationOptions options, StreamFields stream) {
    private static final int MAX_STOPS = 16;

    /// @param streams true for an event stream
    /// @param includesUsage true for a last chunk with the usage
    /// @param returnsProgress true for chunks that say how much of the prompt was read
    /// @param returnsTokenIds true for a chunk with the id of each token (vLLM's `return_token_ids`)
    public record StreamFields(
            boolean streams, boolean includesUsage, boolean returnsProgress, boolean returnsTokenIds) {}

    /// @param topLogprobs number of most likely tokens to report; -1 for no log probabilities
    static GenerationFields read(Fields request, RequestDefaults defaults, int topLogprobs) {
        OptionalInt asked = request.integer("max_completion_tokens", 1, Integer.MAX_VALUE);
        OptionalInt older = request.integer("max_tokens", 1, Integer.MAX_VALUE);
        OptionalInt tokens = asked.isPresent() ? asked : older;
        int choices = request.integer("n", 1, defaults.maxChoices()).orElse(1);
        try {
            GenerationOptions options = GenerationOptions.DEFAULT
                    .withMaxNewTokens(tokens.orElse(defaults.newTokens()))
                    .withSampling(sampling(request, defaults.sampling()))
                    .withStopStrings(stops(request))
                    .withStopIds(request.ids("stop_token_ids"))
                    .withIgnoreEos(request.flag("ignore_eos", false))
                    .withMinNewTokens(
                            request.integer("min_tokens", 0, Integer.MAX_VALUE).orElse(0))
                    .withTopLogprobs(topLogprobs);
            return new GenerationFields(choices, tokens, options, stream(request));
        } catch (IllegalArgumentException e) {
            throw ApiException.invalid(null, String.valueOf(e.getMessage()));
        }
    }

    private static StreamFields stream(Fields request) {
        boolean streams = request.flag("stream", false);
        boolean usage = request.object("stream_options")
                .map(options -> options.flag("include_usage", false))
                .orElse(false);
        return new StreamFields(
                streams, usage, request.flag("return_progress", false), request.flag("return_token_ids", false));
    }

    private static SamplingOptions sampling(Fields request, SamplingOptions defaults) {
        OptionalLong seed = request.whole("seed", Long.MIN_VALUE, Long.MAX_VALUE);
        return new SamplingOptions(
                request.number("temperature", 0, 100).orElse(defaults.temperature()),
                topK(request, defaults),
                request.number("top_p", Double.MIN_VALUE, 1).orElse(defaults.topP()),
                request.number("min_p", 0, 1).orElse(defaults.minP()),
                request.number("repetition_penalty", Double.MIN_VALUE, 100).orElse(defaults.repetitionPenalty()),
                request.number("presence_penalty", -2, 2).orElse(0),
                request.number("frequency_penalty", -2, 2).orElse(0),
                logitBias(request),
                seed.orElseGet(() -> ThreadLocalRandom.current().nextLong()));
    }

    private static Map<Integer, Double> logitBias(Fields request) {
        Map<Integer, Double> bias = new LinkedHashMap<>();
        request.object("logit_bias")
                .ifPresent(given -> given.names().forEach(name -> {
                    int id = tokenId(name);
                    if (id < 0) {
                        throw ApiException.invalid(
                                "logit_bias",
                                "logit_bias has the key \"" + name + "\"; expected ids of tokens, 0 or more");
                    }
                    bias.put(id, given.number(name, -100, 100).orElse(0));
                }));
        return bias;
    }

    private static int tokenId(String name) {
        try {
            return Integer.parseInt(name);
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    /// vLLM writes -1 where no limit is meant.
    private static int topK(Fields request, SamplingOptions defaults) {
        return Math.max(0, request.integer("top_k", -1, Integer.MAX_VALUE).orElse(defaults.topK()));
    }

    private static List<String> stops(Fields request) {
        JsonNode node = request.node("stop").orElse(null);
        List<String> stops = new ArrayList<>();
        if (node == null) {
            return stops;
        }
        Iterable<JsonNode> given = node.isArray() ? node : List.of(node);
        for (JsonNode stop : given) {
            if (!stop.isString() || stop.stringValue().isEmpty()) {
                throw request.wrong("stop", stop, "a string that is not empty, or an array of such strings");
            }
            stops.add(stop.stringValue());
        }
        if (stops.size() > MAX_STOPS) {
            throw ApiException.invalid("stop", "stop has " + stops.size() + " strings; expected at most " + MAX_STOPS);
        }
        return stops;
    }

    /// Options of one answer, whose limit on tokens fits the context.
    ///
    /// @param promptTokens length of the prompt
    /// @param contextTokens length of the model's context
    /// @param choice number of the answer among those to the same prompt, from 0; seeds differ by it
    /// @throws ApiException if the prompt and what the request asks for exceed the context
    public GenerationOptions options(int promptTokens, int contextTokens, int choice) {
        long asked = askedTokens.orElse(0);
        if (promptTokens >= contextTokens || promptTokens + asked > contextTokens) {
            throw ApiException.invalid(
                    "messages",
                    "context_length_exceeded",
                    "the model's context is %,d tokens; the prompt has %,d, and the request asks for %s more. %s"
                            .formatted(
                                    contextTokens,
                                    promptTokens,
                                    asked == 0 ? "at least 1" : "%,d".formatted(asked),
                                    "Shorten the prompt, or ask for fewer tokens"));
        }
        SamplingOptions sampling = options.sampling();
        return options.withMaxNewTokens(Math.min(options.maxNewTokens(), contextTokens - promptTokens))
                .withSampling(sampling.withSeed(sampling.seed() + choice));
    }
}
