package io.shadowkv.model.spec;

import io.shadowkv.checkpoint.CheckpointException;
import io.shadowkv.checkpoint.ModelConfig;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Reads `config.json` in its three formats: the classic one (`rope_theta`, `rope_scaling`), that
/// of transformers 5 (`rope_parameters`), and ChatGLM's own.
final class ConfigReader {
    private static final double DEFAULT_THETA = 10_000;
    private static final int DEFAULT_WINDOW_LAYERS = 28;

    private ConfigReader() {}

    /// Which layers of a family use a sliding window if `config.json` has `sliding_window`.
    enum WindowRule {
        /// The layers that `layer_types` calls `sliding_attention`.
        LAYER_TYPES,
        /// None unless `use_sliding_window` is true; then the layers that `layer_types` names, or
        /// the layers from `max_window_layers` on.
        SWITCHED,
        /// All.
        EVERY_LAYER
    }

    /// The defaults of a family's configuration class in transformers.
    ///
    /// @param interleaved true if neighbouring elements form pairs; then half of each head rotates
    ///     unless the file says otherwise
    /// @param window which layers attend to a window
    /// @param originalContext context before scaling where the file states none; 0 takes its positions
    record Defaults(boolean interleaved, WindowRule window, int originalContext) {}

    /// The format that the families in transformers share.
    static DecoderSpec transformers(ModelConfig config, String family, Defaults defaults) {
        requireSilu(config);
        boolean interleaved = defaults.interleaved();
        int queryHeads = config.integer("num_attention_heads");
        int hiddenSize = config.integer("hidden_size");
        int headDim = config.has("head_dim") ? config.integer("head_dim") : hiddenSize / Math.max(1, queryHeads);
        ModelConfig rope = ropeParameters(config);
        double rotaryShare =
                number(rope, "partial_rotary_factor", number(config, "partial_rotary_factor", interleaved ? 0.5 : 1));
        int rotaryDim = (int) (headDim * rotaryShare);
        return checked(config, () -> {
            RopeSpec ropeSpec = new RopeSpec(
                    number(rope, "rope_theta", number(config, "rope_theta", DEFAULT_THETA)),
                    rotaryDim,
                    config.bool("rope_interleave", interleaved),
                    scaling(config, rope, defaults));
            int context = positions(config, rope, ropeSpec.scaling(), defaults);
            int window = slidingWindow(config, defaults.window());
            boolean isCut = window > 0 && window < context;
            return new DecoderSpec(
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
                    isCut ? window : context,
                    isCut ? window : 0);
        });
    }

    /// ChatGLM's format: half of each head rotates, in pairs of neighbours, with a base of 10000 ×
    /// `rope_ratio`.
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

    private static RopeScaling scaling(ModelConfig config, @Nullable ModelConfig rope, Defaults defaults) {
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
                        originalContext(config, rope, defaults));
            case "yarn" -> yarn(config, rope, defaults);
            case "longrope", "su" -> longRope(config, rope, defaults);
            // The form of a GGUF file, which io.shadowkv.checkpoint.GgufConfig writes.
            case "rope_freqs" -> new RopeScaling.Divisors(rope.doubles("factors"));
            default ->
                throw new CheckpointException(config.source() + ": rope scaling of type \"" + type
                        + "\" is not known; this engine reads default, linear, llama3, yarn and longrope");
        };
    }

    private static RopeScaling yarn(ModelConfig config, ModelConfig rope, Defaults defaults) {
        int original = originalContext(config, rope, defaults);
        double factor = rope.has("factor")
                ? rope.number("factor")
                : (double) config.integer("max_position_embeddings") / original;
        double attention;
        if (rope.has("attention_factor")) {
            attention = rope.number("attention_factor");
        } else if (number(rope, "mscale", 0) != 0 && number(rope, "mscale_all_dim", 0) != 0) {
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

    /// The attention factor is computed from the stated `factor` if there is one, as in
    /// transformers 5. Transformers 4 uses the ratio of the two contexts if the original one is
    /// stated outside the scaling, and ignores `factor` then.
    private static RopeScaling longRope(ModelConfig config, ModelConfig rope, Defaults defaults) {
        int original = originalContext(config, rope, defaults);
        double factor = rope.has("factor")
                ? rope.number("factor")
                : (double) config.integer("max_position_embeddings") / original;
        if (!(factor > 0)) {
            throw rope.wrong("factor", "a number above 0");
        }
        double attention = rope.has("attention_factor")
                ? rope.number("attention_factor")
                : factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
        return new RopeScaling.LongRope(rope.doubles("short_factor"), rope.doubles("long_factor"), original, attention);
    }

    /// Context before scaling. Phi-3 states it outside the scaling object. If it is stated both
    /// outside and inside, the outer value is used, as in transformers 5.
    private static int originalContext(ModelConfig config, ModelConfig rope, Defaults defaults) {
        String key = "original_max_position_embeddings";
        if (config.has(key)) {
            return config.positive(key);
        }
        if (rope.has(key)) {
            return rope.positive(key);
        }
        return defaults.originalContext() > 0 ? defaults.originalContext() : config.positive("max_position_embeddings");
    }

    /// The stated context, or the original context times the factor of yarn or linear scaling if
    /// that is longer: some files state the context before scaling and some the one after it (vLLM
    /// treats both alike).
    private static int positions(
            ModelConfig config, @Nullable ModelConfig rope, RopeScaling scaling, Defaults defaults) {
        long stated = config.positive("max_position_embeddings");
        double scaled = rope == null
                ? 0
                : switch (scaling) {
                    case RopeScaling.Yarn yarn -> yarn.factor() * yarn.originalContext();
                    case RopeScaling.Linear linear -> linear.factor() * originalContext(config, rope, defaults);
                    default -> 0;
                };
        return (int) Math.max(stated, Math.min((long) scaled, Integer.MAX_VALUE));
    }

    /// The sliding window that some layer uses, as transformers reads the keys; 0 if no layer does.
    private static int slidingWindow(ModelConfig config, WindowRule rule) {
        if (!config.has("sliding_window") || rule == WindowRule.SWITCHED && !config.bool("use_sliding_window", false)) {
            return 0;
        }
        boolean slides = switch (rule) {
            case EVERY_LAYER -> true;
            case LAYER_TYPES -> namesSlidingLayer(config);
            case SWITCHED ->
                config.has("layer_types")
                        ? namesSlidingLayer(config)
                        : config.integer("max_window_layers", DEFAULT_WINDOW_LAYERS)
                                < config.integer("num_hidden_layers");
        };
        return slides ? config.positive("sliding_window") : 0;
    }

    private static boolean namesSlidingLayer(ModelConfig config) {
        return config.has("layer_types") && config.strings("layer_types").contains("sliding_attention");
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

    private static DecoderSpec checked(ModelConfig config, Supplier<DecoderSpec> reader) {
        try {
            DecoderSpec spec = reader.get();
            spec.rope().check();
            return spec;
        } catch (IllegalArgumentException e) {
            throw new CheckpointException(config.source() + ": " + e.getMessage(), e);
        }
    }
}
