package io.shadowkv.checkpoint;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/// The generation settings that a checkpoint recommends: `generation_config.json`, with token ids
/// from `config.json` as a fallback.
///
/// An empty value means that the checkpoint has no recommendation. Negative token ids count as
/// absent, and so does -1 for any other value: checkpoints use it for "none" and "off".
///
/// @param eosTokenIds ids that end generation; may be empty
/// @param temperature at least 0
/// @param topK at least 0; 0 means no limit
/// @param topP between 0 and 1
/// @param minP between 0 and 1
/// @param repetitionPenalty above 0
/// @param maxNewTokens at least 1
public record GenerationConfig(
        List<Integer> eosTokenIds,
        OptionalInt bosTokenId,
        OptionalInt padTokenId,
        Optional<Boolean> doSample,
        OptionalDouble temperature,
        OptionalInt topK,
        OptionalDouble topP,
        OptionalDouble minP,
        OptionalDouble repetitionPenalty,
        OptionalInt maxNewTokens) {
    private static final int OFF = -1;

    public GenerationConfig {
        eosTokenIds = List.copyOf(eosTokenIds);
    }

    /// Reads the recommendations.
    ///
    /// @param generation `generation_config.json`, if the checkpoint has one
    /// @param model `config.json`, which supplies the token ids that `generation` lacks
    /// @throws CheckpointException if a value has a wrong type or is out of its range
    static GenerationConfig read(Optional<ModelConfig> generation, ModelConfig model) {
        ModelConfig config = generation.orElseGet(() -> ModelConfig.parse("generation_config.json", "{}"));
        List<Integer> eos = tokenIds(config, "eos_token_id");
        return new GenerationConfig(
                eos.isEmpty() ? tokenIds(model, "eos_token_id") : eos,
                tokenId("bos_token_id", config, model),
                tokenId("pad_token_id", config, model),
                config.optionalBool("do_sample"),
                number(config, "temperature", 0, Double.MAX_VALUE, "a number of at least 0"),
                integer(config, "top_k", 0),
                number(config, "top_p", 0, 1, "a number between 0 and 1"),
                number(config, "min_p", 0, 1, "a number between 0 and 1"),
                number(config, "repetition_penalty", Double.MIN_VALUE, Double.MAX_VALUE, "a number above 0"),
                integer(config, "max_new_tokens", 1));
    }

    private static List<Integer> tokenIds(ModelConfig config, String key) {
        return config.integers(key).stream().filter(id -> id >= 0).distinct().toList();
    }

    /// The first file that has the id is used; if it has several (as some do for padding), the
    /// first of them.
    private static OptionalInt tokenId(String key, ModelConfig generation, ModelConfig model) {
        List<Integer> ids = tokenIds(generation, key);
        return (ids.isEmpty() ? tokenIds(model, key) : ids)
                .stream().mapToInt(Integer::intValue).findFirst();
    }

    private static OptionalDouble number(ModelConfig config, String key, double least, double most, String expected) {
        OptionalDouble value = config.optionalNumber(key);
        if (value.isPresent() && value.getAsDouble() == OFF) {
            return OptionalDouble.empty();
        }
        if (value.isPresent() && !(value.getAsDouble() >= least && value.getAsDouble() <= most)) {
            throw config.wrong(key, expected);
        }
        return value;
    }

    private static OptionalInt integer(ModelConfig config, String key, int least) {
        OptionalInt value = config.optionalInteger(key);
        if (value.isPresent() && value.getAsInt() == OFF) {
            return OptionalInt.empty();
        }
        if (value.isPresent() && value.getAsInt() < least) {
            throw config.wrong(key, "a whole number of at least " + least);
        }
        return value;
    }
}
