package io.shadowkv.model.spec;

import static io.shadowkv.model.spec.RopeReader.number;

import io.shadowkv.checkpoint.CheckpointException;
import io.shadowkv.checkpoint.ModelConfig;
import io.shadowkv.model.spec.Defaults.Trait;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Reads `config.json` in its three formats: the classic one (`rope_theta`, `rope_scaling`), that
/// of transformers 5 (`rope_parameters`), and ChatGLM's own.
final class ConfigReader {
    private static final double DEFAULT_THETA = 10_000;

    /// More layers than any checkpoint has. Checked before a list of them is made.
    private static final int MOST_LAYERS = 10_000;

    private ConfigReader() {}

    /// The format that the families in transformers share.
    static DecoderSpec transformers(ModelConfig config, String family, Defaults defaults) {
        requireSilu(config);
        boolean interleaved = defaults.has(Trait.INTERLEAVED);
        int queryHeads = config.integer("num_attention_heads");
        int hiddenSize = config.integer("hidden_size");
        int headDim = config.has("head_dim") ? config.integer("head_dim") : hiddenSize / Math.max(1, queryHeads);
        ModelConfig rope = RopeReader.parameters(config);
        double rotaryShare =
                number(rope, "partial_rotary_factor", number(config, "partial_rotary_factor", interleaved ? 0.5 : 1));
        int rotaryDim = (int) (headDim * rotaryShare);
        int original = defaults.originalContext();
        return checked(config, () -> {
            RopeSpec ropeSpec = new RopeSpec(
                    number(rope, "rope_theta", number(config, "rope_theta", defaults.theta())),
                    rotaryDim,
                    config.bool("rope_interleave", interleaved),
                    RopeReader.scaling(config, rope, original));
            int positions = RopeReader.positions(config, rope, ropeSpec.scaling(), original);
            List<LayerSpec> layers = layers(config, ropeSpec, positions, defaults);
            Context context = Context.of(config, positions, layers);
            return new DecoderSpec(
                    family,
                    hiddenSize,
                    queryHeads,
                    config.has("num_key_value_heads") ? config.integer("num_key_value_heads") : queryHeads,
                    headDim,
                    config.integer("vocab_size"),
                    config.number("rms_norm_eps"),
                    scales(config, rope, headDim, defaults),
                    config.bool("tie_word_embeddings", defaults.has(Trait.TIED)),
                    context.tokens(),
                    context.reason(),
                    layers);
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
                        layerCount(config, "num_layers"),
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

    private static List<LayerSpec> layers(ModelConfig config, RopeSpec rope, int positions, Defaults defaults) {
        int count = layerCount(config, "num_hidden_layers");
        List<FeedForwardSpec> feedForwards = FeedForwards.read(config, count, defaults);
        List<Boolean> rotations = rotations(config, count, defaults);
        List<Integer> windows = Windows.read(config, rotations, positions, defaults);
        List<LayerSpec> layers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            layers.add(new LayerSpec(
                    rotations.get(i) ? rope : null,
                    windows.get(i),
                    defaults.has(Trait.QUERY_KEY_NORM),
                    defaults.has(Trait.OUTPUT_NORMS),
                    feedForwards.get(i)));
        }
        return layers;
    }

    private static int layerCount(ModelConfig config, String key) {
        int count = config.positive(key);
        if (count > MOST_LAYERS) {
            throw config.wrong(key, "at most " + MOST_LAYERS);
        }
        return count;
    }

    /// Which layers rotate: `no_rope_layers` has 1 where a layer does and 0 where it does not. Without
    /// it, one in `no_rope_layer_interval` does not (SmolLM3).
    private static List<Boolean> rotations(ModelConfig config, int count, Defaults defaults) {
        List<Boolean> rotations = new ArrayList<>();
        boolean isChosen = defaults.has(Trait.UNROTATED_LAYERS);
        List<Integer> stated = isChosen ? config.integers("no_rope_layers") : List.of();
        if (!stated.isEmpty() && stated.size() < count) {
            throw config.wrong("no_rope_layers", "a number for each of " + count + " layers");
        }
        int interval = isChosen ? config.integer("no_rope_layer_interval", 4) : 0;
        for (int i = 0; i < count; i++) {
            rotations.add(!stated.isEmpty() ? stated.get(i) != 0 : interval < 1 || (i + 1) % interval != 0);
        }
        return rotations;
    }

    private static Scales scales(ModelConfig config, @Nullable ModelConfig rope, int headDim, Defaults defaults) {
        Scales scales = Scales.of(headDim);
        if (defaults.has(Trait.MULTIPLIERS)) {
            scales = new Scales(
                    config.number("embedding_multiplier", 1),
                    config.number("attention_multiplier", 1),
                    config.number("residual_multiplier", 1),
                    config.number("logits_scaling", 1),
                    null);
        }
        if (defaults.has(Trait.QUERY_SCALE) && rope != null && rope.has("llama_4_scaling_beta")) {
            int original = RopeReader.originalContext(config, rope, defaults.originalContext());
            scales = scales.withQueries(new Scales.QueryScale(rope.number("llama_4_scaling_beta"), original));
        }
        return scales;
    }

    /// How many tokens this engine computes as the checkpoint was trained, and what limits them.
    private record Context(int tokens, String reason) {
        /// @param positions the checkpoint's own limit
        static Context of(ModelConfig config, int positions, List<LayerSpec> layers) {
            Context context = new Context(positions, "");
            int window = layers.stream()
                    .mapToInt(LayerSpec::slidingWindow)
                    .filter(tokens -> tokens > 0)
                    .min()
                    .orElse(0);
            if (window > 0) {
                context = context.within(window, "its sliding_window");
            }
            ModelConfig dual = config.object("dual_chunk_attention_config").orElse(null);
            if (dual != null) {
                int plain = dual.positive("chunk_size");
                int trained = dual.has("original_max_position_embeddings")
                        ? dual.positive("original_max_position_embeddings")
                        : plain;
                context = context.within(
                        Math.min(plain, trained),
                        "where its dual_chunk_attention_config begins to differ from plain attention, which is what"
                                + " this engine computes");
            }
            return context;
        }

        private Context within(int limit, String why) {
            return limit < tokens ? new Context(limit, why) : this;
        }
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
