package io.shadowkv.eval.rows;

import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.eval.Json;
import io.shadowkv.sampling.SamplingOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// The options of a row, under the names of OpenAI's API and vLLM.
public final class RowOptions {
    private static final String NAMES = "max_tokens, min_tokens, temperature, top_k, top_p, min_p, repetition_penalty,"
            + " presence_penalty, frequency_penalty, seed, stop, ignore_eos";

    private RowOptions() {}

    /// Returns `usual` with what the row sets.
    ///
    /// @param json an object
    /// @throws IllegalArgumentException if it has an unknown name or a wrong value
    public static GenerationOptions apply(GenerationOptions usual, String json) {
        JsonNode given;
        try {
            given = Json.SNAKE_CASE.readTree(json);
        } catch (JacksonException e) {
            throw new IllegalArgumentException(
                    "the options are " + json + ", which is not JSON; expected an object such as {\"max_tokens\": 64}",
                    e);
        }
        if (given.isNull()) {
            return usual;
        }
        if (!given.isObject()) {
            throw new IllegalArgumentException(
                    "the options are " + json + "; expected an object such as {\"max_tokens\": 64}");
        }
        GenerationOptions options = usual;
        for (Map.Entry<String, JsonNode> property : given.properties()) {
            if (!property.getValue().isNull()) {
                options = with(options, property.getKey(), property.getValue());
            }
        }
        return options;
    }

    private static GenerationOptions with(GenerationOptions options, String name, JsonNode value) {
        return switch (name) {
            case "max_tokens" -> options.withMaxNewTokens(whole(name, value));
            case "min_tokens" -> options.withMinNewTokens(whole(name, value));
            case "ignore_eos" -> options.withIgnoreEos(truth(name, value));
            case "stop" -> options.withStopStrings(texts(name, value));
            default -> options.withSampling(with(options.sampling(), name, value));
        };
    }

    private static SamplingOptions with(SamplingOptions old, String name, JsonNode value) {
        return switch (name) {
            case "temperature", "top_p", "min_p", "repetition_penalty", "presence_penalty", "frequency_penalty" ->
                with(old, name, number(name, value));
            case "top_k" -> sampling(old, old.temperature(), whole(name, value), old.topP(), old.minP(), old.seed());
            case "seed" -> sampling(old, old.temperature(), old.topK(), old.topP(), old.minP(), seed(name, value));
            default ->
                throw new IllegalArgumentException(
                        "the options have the unknown name \"" + name + "\"; known are " + NAMES);
        };
    }

    private static SamplingOptions with(SamplingOptions old, String name, double value) {
        return switch (name) {
            case "temperature" -> sampling(old, value, old.topK(), old.topP(), old.minP(), old.seed());
            case "top_p" -> sampling(old, old.temperature(), old.topK(), value, old.minP(), old.seed());
            case "min_p" -> sampling(old, old.temperature(), old.topK(), old.topP(), value, old.seed());
            case "repetition_penalty" -> penalties(old, value, old.presencePenalty(), old.frequencyPenalty());
            case "presence_penalty" -> penalties(old, old.repetitionPenalty(), value, old.frequencyPenalty());
            default -> penalties(old, old.repetitionPenalty(), old.presencePenalty(), value);
        };
    }

    private static SamplingOptions sampling(
            SamplingOptions old, double temperature, int topK, double topP, double minP, long seed) {
        return new SamplingOptions(
                temperature,
                topK,
                topP,
                minP,
                old.repetitionPenalty(),
                old.presencePenalty(),
                old.frequencyPenalty(),
                old.logitBias(),
                seed);
    }

    private static SamplingOptions penalties(
            SamplingOptions old, double repetition, double presence, double frequency) {
        return new SamplingOptions(
                old.temperature(),
                old.topK(),
                old.topP(),
                old.minP(),
                repetition,
                presence,
                frequency,
                old.logitBias(),
                old.seed());
    }

    private static int whole(String name, JsonNode value) {
        if (!value.isIntegralNumber() || !value.canConvertToInt()) {
            throw wrong(name, value, "a whole number");
        }
        return value.intValue();
    }

    private static long seed(String name, JsonNode value) {
        if (!value.isIntegralNumber() || !value.canConvertToLong()) {
            throw wrong(name, value, "a whole number");
        }
        return value.longValue();
    }

    private static double number(String name, JsonNode value) {
        if (!value.isNumber()) {
            throw wrong(name, value, "a number");
        }
        return value.doubleValue();
    }

    private static boolean truth(String name, JsonNode value) {
        if (!value.isBoolean()) {
            throw wrong(name, value, "true or false");
        }
        return value.booleanValue();
    }

    private static List<String> texts(String name, JsonNode value) {
        List<String> texts = new ArrayList<>();
        for (JsonNode one : value.isArray() ? value : List.of(value)) {
            if (!one.isString()) {
                throw wrong(name, value, "a text or a list of texts");
            }
            texts.add(one.stringValue());
        }
        return texts;
    }

    private static IllegalArgumentException wrong(String name, JsonNode value, String expected) {
        return new IllegalArgumentException("option \"" + name + "\" is " + value + "; expected " + expected);
    }
}
