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

    /// Architectures of ggml, the `model_type` of each, whether neighbours rotate together, and whether
    /// matrices are fused.
    private record Known(String modelType, boolean rotatesNeighbours, boolean isFused) {}

    private static final Map<String, Known> ARCHITECTURES = Map.of(
            "llama", new Known("llama", true, false),
            "granite", new Known("granite", true, false),
            "phi3", new Known("phi3", false, true),
            "qwen2", new Known("qwen2", false, false),
            "qwen3", new Known("qwen3", false, false),
            "qwen3moe", new Known("qwen3_moe", false, false));

    private static final String EXPERTS = "its mixture of experts differs from Qwen3's";
    private static final String STATES = "it keeps a state in place of keys and values";
    private static final String WINDOWS = "its layers alternate between sliding windows and full attention";

    /// Architectures that are refused, with the reason.
    private static final Map<String, String> REFUSED = Map.ofEntries(
            Map.entry("granitemoe", EXPERTS),
            Map.entry("qwen2moe", EXPERTS),
            Map.entry("phimoe", EXPERTS),
            Map.entry("glm4moe", EXPERTS),
            Map.entry("granitehybrid", STATES),
            Map.entry("mamba", STATES),
            Map.entry("mamba2", STATES),
            Map.entry("qwen3next", STATES),
            Map.entry("gemma2", WINDOWS),
            Map.entry("gemma3", WINDOWS),
            Map.entry("gpt-oss", WINDOWS),
            Map.entry(
                    "deepseek2",
                    "its multi-head latent attention stores one vector a token in place of keys and"
                            + " values of heads"));

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
            String reason = REFUSED.get(architecture);
            throw new CheckpointException(header.wrong(ARCHITECTURE, "one of " + new TreeSet<>(ARCHITECTURES.keySet()))
                            .getMessage()
                    + (reason == null
                            ? ". A GGUF file of another architecture cannot be loaded; the model's safetensors version"
                                    + " may be"
                            : ". This engine refuses " + architecture + ": " + reason));
        }
    }

    /// True if one matrix holds queries, keys and values, and one gate and up.
    static boolean isFused(GgufHeader header) {
        Known known = ARCHITECTURES.get(header.string(ARCHITECTURE).orElse(""));
        return known != null && known.isFused();
    }

    /// @param tensors those of all parts
    /// @param fileOf the file of each tensor, by its safetensors name
    static ModelConfig of(GgufHeader header, List<GgufTensor> tensors, Map<String, TensorFile> fileOf) {
        String architecture = header.string(ARCHITECTURE).orElseThrow();
        var reader = new GgufConfig(header, architecture);
        reader.shape(tensors, fileOf.keySet());
        reader.experts(tensors, fileOf.keySet());
        reader.multipliers();
        reader.rope(fileOf);
        reader.tokens();
        return new ModelConfig(header.source(), "", reader.config);
    }

    private void shape(List<GgufTensor> tensors, Set<String> names) {
        config.put("model_type", known.modelType());
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
            if (window > 0 && !known.modelType().equals("phi3")) {
                throw header.wrong(
                        key("attention.sliding_window"),
                        "none: this engine reads such a model from" + " safetensors only");
            }
            if (window > 0) {
                config.put("sliding_window", window);
            }
        });
    }

    /// Experts lie in stacks. A layer without stacks has a plain MLP. Shares are always normalised, as
    /// in llama.cpp, which has no key for it.
    private void experts(List<GgufTensor> tensors, Set<String> names) {
        if (!known.modelType().equals("qwen3_moe")) {
            if (header.integer(key("expert_count")).orElse(0) > 0) {
                throw header.wrong(key("expert_count"), "0: this engine reads dense models of this architecture");
            }
            return;
        }
        long count = positive("expert_count");
        for (GgufTensor tensor : tensors) {
            if (tensor.name().contains("_exps.") && tensor.extents()[0] != count) {
                throw header.wrong(
                        key("expert_count"),
                        tensor.extents()[0] + ", the experts of the tensor \"" + Json.shorten(tensor.name()) + "\"");
            }
        }
        double scale = header.number(key("expert_weights_scale")).orElse(1);
        if (scale != 1 && scale != 0) {
            throw header.wrong(key("expert_weights_scale"), "1");
        }
        config.put("num_experts", count).put("num_experts_per_tok", positive("expert_used_count"));
        config.put("moe_intermediate_size", positive("expert_feed_forward_length"));
        config.put("norm_topk_prob", true);
        ArrayNode plain = config.putArray("mlp_only_layers");
        for (int i = 0; i < config.path("num_hidden_layers").intValue(); i++) {
            if (names.contains("model.layers." + i + ".mlp.gate_proj.weight")) {
                plain.add(i);
            }
        }
    }

    /// Granite's multipliers. llama.cpp takes 0 for one that is left out.
    private void multipliers() {
        if (!known.modelType().equals("granite")) {
            return;
        }
        double headDim = config.path("head_dim").doubleValue();
        config.put("embedding_multiplier", multiplier("embedding_scale", 1));
        config.put("attention_multiplier", multiplier("attention.scale", 1 / Math.sqrt(headDim)));
        config.put("residual_multiplier", multiplier("residual_scale", 1));
        config.put("logits_scaling", number("logit_scale"));
    }

    private double multiplier(String name, double otherwise) {
        double stated = header.number(key(name)).orElse(0);
        return stated == 0 ? otherwise : stated;
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
        if (fileOf.containsKey(GgufNames.SHORT_FACTORS) || fileOf.containsKey(GgufNames.LONG_FACTORS)) {
            longRope(fileOf, type, rotary);
            return;
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

    /// The converter writes longrope's factors as tensors and usually no type.
    private void longRope(Map<String, TensorFile> fileOf, String type, long rotary) {
        if (!type.equals("none") && !type.equals("longrope")) {
            throw header.wrong(key("rope.scaling.type"), "longrope or none in a file with " + GgufNames.LONG_FACTORS);
        }
        ObjectNode scaling = config.putObject("rope_scaling").put("rope_type", "longrope");
        config.put("original_max_position_embeddings", positive("rope.scaling.original_context_length"));
        copy("rope.scaling.attn_factor", scaling, "attention_factor");
        factors(fileOf, GgufNames.SHORT_FACTORS, rotary, scaling.putArray("short_factor"));
        factors(fileOf, GgufNames.LONG_FACTORS, rotary, scaling.putArray("long_factor"));
    }

    private void factors(Map<String, TensorFile> fileOf, String name, long rotary, ArrayNode target) {
        TensorFile file = fileOf.get(name);
        if (file == null) {
            throw new CheckpointException(header.source() + ": no tensor \"" + name
                    + "\" although the other set of longrope's factors is there. Take a complete file of the model");
        }
        var tensor = file.tensor(name);
        if (!tensor.dtype().isFloating() || tensor.elements() != rotary / 2) {
            throw new CheckpointException(
                    file.describe(name) + "; expected [" + rotary / 2 + "] F32, one for each pair that rotates");
        }
        for (float factor : Floats.toArray(tensor)) {
            target.add((double) factor);
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
        factors(
                Map.of(GgufNames.ROPE_FREQS, file),
                GgufNames.ROPE_FREQS,
                rotary,
                config.putObject("rope_scaling").put("rope_type", "rope_freqs").putArray("factors"));
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
