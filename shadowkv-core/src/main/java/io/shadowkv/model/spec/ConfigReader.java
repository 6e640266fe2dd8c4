package io.shadowkv.model.spec;

import io.shadowkv.checkpoint.CheckpointException;
import io.shadowkv.checkpoint.ModelConfig;
import org.jspecify.annotations.Nullable;

/// Reads `config.json` in its three spellings: the classic one (`rope_theta`, `rope_scaling`), that of
/// transformers 5 (`rope_parameters`), and ChatGLM's own.
final class ConfigReader {
    private static final double DEFAULT_THETA = 10_000;

    private ConfigReader() {}

    /// The spelling that transformers' families share.
    static DecoderSpec transformers(ModelConfig config, String family, boolean interleaved) {
        requireSilu(config);
        int queryHeads = config.integer("num_attention_heads");
        int hiddenSize = config.integer("hidden_size");
        int headDim = config.has("head_dim") ? config.integer("head_dim") : hiddenSize / Math.max(1, queryHeads);
        ModelConfig rope = ropeParameters(config);
        double rotaryShare =
                number(rope, "partial_rotary_factor", number(config, "partial_rotary_factor", interleaved ? 0.5 : 1));
        int rotaryDim = (int) (headDim * rotaryShare);
        RopeSpec ropeSpec = new RopeSpec(
                number(rope, "rope_theta", number(config, "rope_theta", DEFAULT_THETA)),
                rotaryDim,
                interleaved,
                scaling(config, rope));
        return checked(
                config,
                () -> new DecoderSpec(
                        family,
                        config.integer("num_hidden_layers"),
                        hiddenSize,
                        config.integer("intermediate_size"),
                        queryHeads,
                        config.has("num_key_value_heads") ? config.integer("num_key_value_heads") : queryHeads,
                        headDim,
                        config.integer("vocab_size"),
                        config.number("rms_norm_eps"),
                        ropeSpec,
                        config.bool("tie_word_embeddings", false),
                        contextTokens(config, ropeSpec.scaling())));
    }

    /// ChatGLM's spelling: half of each head rotates, in neighbouring pairs, over a base of 10000 × `rope_ratio`.
    static DecoderSpec chatGlm(ModelConfig config, String family) {
        require(config, "rmsnorm", true);
        require(config, "post_layer_norm", true);
        require(config, "apply_residual_connection_post_layernorm", false);
        require(config, "original_rope", true);
        int heads = config.integer("num_attention_heads");
        int headDim = config.integer("kv_channels");
        boolean isGrouped = config.bool("multi_query_attention", false);
        double theta = DEFAULT_THETA * number(config, "rope_ratio", 1);
        return checked(
                config,
                () -> new DecoderSpec(
                        family,
                        config.integer("num_layers"),
                        config.integer("hidden_size"),
                        config.integer("ffn_hidden_size"),
                        heads,
                        isGrouped ? config.integer("multi_query_group_num") : heads,
                        headDim,
                        config.integer("padded_vocab_size"),
                        config.number("layernorm_epsilon"),
                        new RopeSpec(theta, headDim / 2, true, new RopeScaling.None()),
                        config.bool("tie_word_embeddings", false),
                        config.integer("seq_length")));
    }

    private static @Nullable ModelConfig ropeParameters(ModelConfig config) {
        return config.object("rope_parameters")
                .or(() -> config.object("rope_scaling"))
                .orElse(null);
    }

    private static RopeScaling scaling(ModelConfig config, @Nullable ModelConfig rope) {
        if (rope == null) {
            return new RopeScaling.None();
        }
        String type =
                rope.has("rope_type") ? rope.string("rope_type") : rope.has("type") ? rope.string("type") : "default";
        return switch (type) {
            case "default" -> new RopeScaling.None();
            case "linear" -> new RopeScaling.Linear(rope.number("factor"));
            case "llama3" ->
                new RopeScaling.Llama3(
                        rope.number("factor"),
                        rope.number("low_freq_factor"),
                        rope.number("high_freq_factor"),
                        originalContext(config, rope));
            case "yarn" -> yarn(config, rope);
            case "longrope", "su" -> longRope(config, rope);
            default ->
                throw new CheckpointException(config.source() + ": rope scaling of type \"" + type
                        + "\" is not known; this engine reads default, linear, llama3, yarn and longrope");
        };
    }

    private static RopeScaling yarn(ModelConfig config, ModelConfig rope) {
        int original = originalContext(config, rope);
        double factor = rope.has("factor")
                ? rope.number("factor")
                : (double) config.integer("max_position_embeddings") / original;
        double attention;
        if (rope.has("attention_factor")) {
            attention = rope.number("attention_factor");
        } else if (rope.has("mscale") && rope.has("mscale_all_dim")) {
            attention = yarnScale(factor, rope.number("mscale")) / yarnScale(factor, rope.number("mscale_all_dim"));
        } else {
            attention = yarnScale(factor, 1);
        }
        return new RopeScaling.Yarn(
                factor,
                original,
                number(rope, "beta_fast", 32),
                number(rope, "beta_slow", 1),
                attention,
                rope.bool("truncate", true));
    }

    private static double yarnScale(double factor, double weight) {
        return factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1;
    }

    private static RopeScaling longRope(ModelConfig config, ModelConfig rope) {
        int original = originalContext(config, rope);
        double factor = (double) config.integer("max_position_embeddings") / original;
        double attention = rope.has("attention_factor")
                ? rope.number("attention_factor")
                : factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
        return new RopeScaling.LongRope(rope.doubles("short_factor"), rope.doubles("long_factor"), original, attention);
    }

    /// Context before scaling. Phi-3 states it beside, not inside, the scaling.
    private static int originalContext(ModelConfig config, ModelConfig rope) {
        String key = "original_max_position_embeddings";
        return rope.has(key)
                ? rope.integer(key)
                : config.has(key) ? config.integer(key) : config.integer("max_position_embeddings");
    }

    /// The stated context; yarn's factor extends it where the file states the original one, a sliding window
    /// ends it (this engine attends to everything, so it is the same model only within the window).
    private static int contextTokens(ModelConfig config, RopeScaling scaling) {
        long context = config.integer("max_position_embeddings");
        if (scaling instanceof RopeScaling.Yarn yarn) {
            context = Math.max(context, (long) (yarn.factor() * yarn.originalContext()));
        }
        if (config.has("sliding_window") && config.bool("use_sliding_window", true)) {
            context = Math.min(context, config.integer("sliding_window"));
        }
        return Math.toIntExact(context);
    }

    private static void requireSilu(ModelConfig config) {
        String activation = config.has("hidden_act") ? config.string("hidden_act") : "silu";
        if (!activation.equals("silu") && !activation.equals("swish")) {
            throw new CheckpointException(
                    config.source() + ": hidden_act is \"" + activation + "\"; this engine computes silu only");
        }
    }

    private static void require(ModelConfig config, String key, boolean expected) {
        boolean found = config.bool(key, expected);
        if (found != expected) {
            throw new CheckpointException(config.source() + ": " + key + " is " + found
                    + "; this engine reads only checkpoints with " + key + " = " + expected);
        }
    }

    private static double number(@Nullable ModelConfig config, String key, double otherwise) {
        return config != null && config.has(key) ? config.number(key) : otherwise;
    }

    private static DecoderSpec checked(ModelConfig config, java.util.function.Supplier<DecoderSpec> reader) {
        try {
            return reader.get();
        } catch (IllegalArgumentException e) {
            throw new CheckpointException(config.source() + ": " + e.getMessage(), e);
        }
    }
}
