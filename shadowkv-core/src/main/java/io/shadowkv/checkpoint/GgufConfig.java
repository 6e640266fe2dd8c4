package io.shadowkv.checkpoint;

import io.shadowkv.tensor.Floats;
import io.shadowkv.text.JsonTree;
import io.shadowkv.text.gguf.GgufHeader;
import io.shadowkv.text.gguf.GgufTensor;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Writes the metadata of a GGUF file as `config.json` would say it, so that the families read one
/// format. A missing or impossible value is named by its own key.
///
/// Files of the architecture `llama` have the rows of the query and key matrices in the order of
/// neighbouring pairs ((0, 1), (2, 3) …), where safetensors files pair element i with element
/// i + headDim / 2. The model therefore rotates neighbours (`rope_interleave`): queries and keys are
/// permuted alike, so that attention is the same, and no row has to move.
final class GgufConfig {
    static final String ARCHITECTURE = "general.architecture";

    /// Architectures of ggml, the `model_type` of each, and whether neighbours rotate together.
    private record Known(String modelType, boolean rotatesNeighbours) {}

    private static final Map<String, Known> ARCHITECTURES = Map.of(
            "llama", new Known("llama", true),
            "qwen2", new Known("qwen2", false),
            "qwen3", new Known("qwen3", false));

    private final GgufHeader header;
    private final String architecture;
    private final Known known;
    private final ObjectNode config = JsonTree.object();

    private GgufConfig(GgufHeader header, String architecture) {
        this.header = header;
        this.architecture = architecture;
        this.known = Objects.requireNonNull(ARCHITECTURES.get(architecture), "checked before");
    }

    /// @throws CheckpointException if this engine does not read models of this architecture
    static void checkArchitecture(GgufHeader header) {
        String architecture = header.string(ARCHITECTURE).orElse("");
        if (!ARCHITECTURES.containsKey(architecture)) {
            throw new CheckpointException(header.wrong(ARCHITECTURE, "one of " + new TreeSet<>(ARCHITECTURES.keySet()))
                            .getMessage()
                    + ". A GGUF file of another architecture cannot be loaded; the model's safetensors version"
                    + " may be");
        }
    }

    /// @param tensors those of all parts
    /// @param fileOf the file of each tensor, by its safetensors name
    static ModelConfig of(GgufHeader header, List<GgufTensor> tensors, Map<String, TensorFile> fileOf) {
        String architecture = header.string(ARCHITECTURE).orElseThrow();
        var reader = new GgufConfig(header, architecture);
        reader.shape(tensors, fileOf.keySet());
        reader.rope(fileOf);
        reader.tokens();
        return new ModelConfig(header.source(), "", reader.config);
    }

    private void shape(List<GgufTensor> tensors, Set<String> names) {
        config.put("model_type", known.modelType());
        refuseExperts();
        long hidden = positive("embedding_length");
        long heads = positive("attention.head_count");
        long kvHeads = header.has(key("attention.head_count_kv")) ? positive("attention.head_count_kv") : heads;
        long headDim = header.has(key("attention.key_length")) ? positive("attention.key_length") : hidden / heads;
        if (header.integer(key("attention.value_length")).orElse(headDim) != headDim) {
            throw header.wrong(key("attention.value_length"), headDim + ", the length of a key");
        }
        config.put("hidden_size", hidden).put("num_hidden_layers", positive("block_count"));
        config.put("intermediate_size", positive("feed_forward_length"));
        config.put("num_attention_heads", heads)
                .put("num_key_value_heads", kvHeads)
                .put("head_dim", headDim);
        config.put("max_position_embeddings", positive("context_length"));
        config.put("rms_norm_eps", number("attention.layer_norm_rms_epsilon"));
        config.put("tie_word_embeddings", !names.contains("lm_head.weight"));
        config.put("attention_bias", names.contains("model.layers.0.self_attn.q_proj.bias"));
        config.put("vocab_size", vocabulary(tensors));
        header.integer(key("attention.sliding_window")).ifPresent(window -> {
            if (window > 0) {
                throw header.wrong(
                        key("attention.sliding_window"),
                        "none: this engine reads such a model from" + " safetensors only");
            }
        });
    }

    private void refuseExperts() {
        if (header.integer(key("expert_count")).orElse(0) > 0) {
            throw header.wrong(key("expert_count"), "0: this engine reads dense models of this architecture");
        }
    }

    private long vocabulary(List<GgufTensor> tensors) {
        for (GgufTensor tensor : tensors) {
            if (tensor.name().equals("token_embd.weight") && tensor.extents().length == 2) {
                return tensor.extents()[0];
            }
        }
        throw new CheckpointException(header.source() + ": no matrix \"token_embd.weight\" among its " + tensors.size()
                + " tensors, such as "
                + tensors.stream()
                        .limit(3)
                        .map(GgufTensor::name)
                        .map(Json::shorten)
                        .toList()
                + ". Take a complete file of the model");
    }

    private void rope(Map<String, TensorFile> fileOf) {
        config.put("rope_theta", header.number(key("rope.freq_base")).orElse(10_000));
        config.put("rope_interleave", known.rotatesNeighbours());
        long headDim = config.path("head_dim").longValue();
        long rotary = header.integer(key("rope.dimension_count")).orElse(headDim);
        config.put("partial_rotary_factor", (double) rotary / headDim);
        String type = header.string(key("rope.scaling.type")).orElse("none");
        TensorFile divisors = fileOf.get(GgufNames.ROPE_FREQS);
        if (divisors != null && !type.equals("none")) {
            throw header.wrong(key("rope.scaling.type"), "none in a file with " + GgufNames.ROPE_FREQS);
        }
        switch (type) {
            case "none" -> {
                requireNoFactor("rope.scaling.factor");
                requireNoFactor("rope.scale_linear");
                if (divisors != null) {
                    divisors(divisors, rotary);
                }
            }
            case "linear" ->
                config.putObject("rope_scaling")
                        .put("rope_type", "linear")
                        .put("factor", number("rope.scaling.factor"));
            case "yarn" -> yarn();
            default -> throw header.wrong(key("rope.scaling.type"), "none, linear or yarn");
        }
    }

    /// An old file may have a factor and no type.
    private void requireNoFactor(String name) {
        double factor = header.number(key(name)).orElse(1);
        if (factor != 1 && factor != 0) {
            throw header.wrong(key(name), "1 in a file whose rope.scaling.type is none or missing");
        }
    }

    private void yarn() {
        ObjectNode scaling = config.putObject("rope_scaling").put("rope_type", "yarn");
        scaling.put("factor", number("rope.scaling.factor"));
        scaling.put("original_max_position_embeddings", positive("rope.scaling.original_context_length"));
        copy("rope.scaling.yarn_beta_fast", scaling, "beta_fast");
        copy("rope.scaling.yarn_beta_slow", scaling, "beta_slow");
        for (String unread : List.of("attn_factor", "yarn_attn_factor", "yarn_ext_factor", "yarn_log_multiplier")) {
            String name = key("rope.scaling." + unread);
            if (header.number(name).isPresent()) {
                throw header.wrong(name, "none: this engine computes yarn's own factor");
            }
        }
    }

    private void copy(String name, ObjectNode target, String as) {
        header.number(key(name)).ifPresent(value -> target.put(as, value));
    }

    /// Llama 3.1's scaling, worked out by the converter: each frequency has its divisor.
    private void divisors(TensorFile file, long rotary) {
        var tensor = file.tensor(GgufNames.ROPE_FREQS);
        if (!tensor.dtype().isFloating() || tensor.elements() != rotary / 2) {
            throw new CheckpointException(file.describe(GgufNames.ROPE_FREQS) + "; expected [" + rotary / 2
                    + "] F32, one for each pair that rotates");
        }
        ArrayNode factors =
                config.putObject("rope_scaling").put("rope_type", "rope_freqs").putArray("factors");
        for (float factor : Floats.toArray(tensor)) {
            factors.add((double) factor);
        }
    }

    /// A token that ends a turn ends an answer too, as in llama.cpp.
    private void tokens() {
        header.integer("tokenizer.ggml.bos_token_id").ifPresent(id -> config.put("bos_token_id", id));
        header.integer("tokenizer.ggml.padding_token_id").ifPresent(id -> config.put("pad_token_id", id));
        ArrayNode ends = config.putArray("eos_token_id");
        for (String name : List.of("eos_token_id", "eot_token_id")) {
            OptionalLong id = header.integer("tokenizer.ggml." + name);
            id.ifPresent(ends::add);
        }
    }

    private String key(String name) {
        return architecture + "." + name;
    }

    private long positive(String name) {
        String key = key(name);
        if (header.isArray(key)) {
            throw header.wrong(key, "one number: this engine reads models whose layers are alike");
        }
        OptionalLong value = header.integer(key);
        if (value.isEmpty() || value.getAsLong() < 1 || value.getAsLong() > Integer.MAX_VALUE) {
            throw header.wrong(key, "a whole number from 1 to " + Integer.MAX_VALUE);
        }
        return value.getAsLong();
    }

    private double number(String name) {
        OptionalDouble value = header.number(key(name));
        return value.orElseThrow(() -> header.wrong(key(name), "a number"));
    }
}
