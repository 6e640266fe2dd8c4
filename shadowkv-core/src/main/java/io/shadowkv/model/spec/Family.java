package io.shadowkv.model.spec;

import io.shadowkv.checkpoint.CheckpointException;
import io.shadowkv.checkpoint.ModelConfig;
import io.shadowkv.model.spec.Defaults.Trait;
import io.shadowkv.model.spec.Defaults.WindowRule;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/// The model families. Each reads its `config.json` into a [DecoderSpec] and names its weights. No
/// other code depends on the family.
public enum Family {
    /// Llama 2, 3, 3.1, 3.2 and 3.3, Yi, and every checkpoint whose `model_type` is `llama`.
    LLAMA("llama", Defaults.PLAIN) {
        @Override
        public WeightNames weightNames(ModelConfig config) {
            return sameBias(config);
        }
    },
    /// Qwen2 and Qwen2.5, also the 1M checkpoints: biases on queries, keys and values.
    QWEN2("qwen2", Defaults.PLAIN.withWindow(WindowRule.SWITCHED, 4096)) {
        @Override
        public WeightNames weightNames(ModelConfig config) {
            return WeightNames.TRANSFORMERS.withBiases(true, false, false);
        }
    },
    /// Qwen3: a norm of each query and key head before it rotates.
    QWEN3("qwen3", Defaults.PLAIN.withWindow(WindowRule.SWITCHED, 4096).with(Trait.QUERY_KEY_NORM)) {
        @Override
        public WeightNames weightNames(ModelConfig config) {
            return sameBias(config);
        }
    },
    /// Qwen3 with a mixture of experts.
    QWEN3_MOE(
            "qwen3_moe",
            Defaults.PLAIN
                    .withWindow(WindowRule.SWITCHED_EVERY_LAYER, 4096)
                    .with(Trait.QUERY_KEY_NORM, Trait.EXPERTS)) {
        @Override
        public WeightNames weightNames(ModelConfig config) {
            return sameBias(config);
        }
    },
    /// Mistral 7B, Nemo and Small.
    MISTRAL("mistral", Defaults.PLAIN.withWindow(WindowRule.EVERY_LAYER, 4096)),
    /// Ministral 3: yarn, and queries that grow with their position.
    MINISTRAL3(
            "ministral3", Defaults.PLAIN.withWindow(WindowRule.EVERY_LAYER, 0).with(Trait.QUERY_SCALE)) {
        @Override
        public DecoderSpec spec(ModelConfig config) {
            if (RopeReader.parameters(config) == null) {
                throw config.wrong("rope_parameters", "an object: without it transformers takes a set of its own");
            }
            return super.spec(config);
        }
    },
    /// Mistral Small 3.1 and Ministral 3 as published, with a vision tower: the language model alone.
    MISTRAL3("mistral3", Defaults.PLAIN) {
        @Override
        public DecoderSpec spec(ModelConfig config) {
            ModelConfig text = text(config);
            DecoderSpec spec = of(text).spec(text);
            boolean isTied = text.bool("tie_word_embeddings", config.bool("tie_word_embeddings", true));
            return spec.withTiedEmbeddings(isTied);
        }

        @Override
        public WeightNames weightNames(ModelConfig config) {
            ModelConfig text = text(config);
            return of(text).weightNames(text).within("language_model.");
        }

        private static ModelConfig text(ModelConfig config) {
            return config.object("text_config")
                    .orElseThrow(() -> config.wrong("text_config", "an object, the language model's configuration"));
        }
    },
    /// Granite 3: four multipliers.
    GRANITE("granite", Defaults.PLAIN.with(Trait.MULTIPLIERS)) {
        @Override
        public WeightNames weightNames(ModelConfig config) {
            return sameBias(config);
        }
    },
    /// Granite 4 without Mamba layers and without experts.
    GRANITE_HYBRID(
            "granitemoehybrid",
            Defaults.PLAIN.withIntermediateKey("shared_intermediate_size").with(Trait.MULTIPLIERS)) {
        @Override
        public DecoderSpec spec(ModelConfig config) {
            boolean isDense = config.has("layer_types")
                    && config.strings("layer_types").stream()
                            .allMatch(type -> type.equals("attention") || type.equals("full_attention"));
            if (!isDense) {
                throw new CheckpointException(config.source() + ": model_type is \"" + name
                        + "\" with layers that are not attention; they are Mamba layers, which keep a state in place of"
                        + " keys and values. This engine reads the dense checkpoints of this family, whose layer_types"
                        + " are all \"attention\"");
            }
            if (config.integer("num_local_experts", 8) != 0) {
                throw config.wrong("num_local_experts", "0; this engine does not compute this family's experts");
            }
            if (!config.has("position_embedding_type")
                    || !config.string("position_embedding_type").equals("rope")) {
                throw config.wrong("position_embedding_type", "\"rope\"; this engine needs layers that rotate");
            }
            return super.spec(config);
        }

        @Override
        public WeightNames weightNames(ModelConfig config) {
            boolean attention = config.bool("attention_bias", false);
            WeightNames names = WeightNames.TRANSFORMERS;
            return names.with(names.mlp().withFused("shared_mlp.input_linear").withDown("shared_mlp.output_linear"))
                    .withBiases(attention, attention, false);
        }
    },
    /// Seed-OSS: biases on queries, keys and values.
    SEED_OSS("seed_oss", Defaults.PLAIN) {
        @Override
        public WeightNames weightNames(ModelConfig config) {
            return WeightNames.TRANSFORMERS.withBiases(
                    config.bool("attention_bias", true),
                    config.bool("attention_out_bias", false),
                    config.bool("mlp_bias", false));
        }
    },
    /// Phi-3 and Phi-4-mini: fused projections, longrope, the latter with a part of each head rotated.
    PHI3("phi3", Defaults.PLAIN.withWindow(WindowRule.EVERY_LAYER, 0).withOriginalContext(4096)) {
        @Override
        public WeightNames weightNames(ModelConfig config) {
            return WeightNames.TRANSFORMERS
                    .withFusedQueryKeyValue("self_attn.qkv_proj")
                    .withFusedGateUp("mlp.gate_up_proj");
        }
    },
    /// GLM-4 in the layout of transformers: half of each head rotates, in pairs of neighbours.
    GLM("glm", Defaults.PLAIN.with(Trait.INTERLEAVED)) {
        @Override
        public WeightNames weightNames(ModelConfig config) {
            return fusedGateUp(config);
        }
    },
    /// GLM-4-0414: as GLM-4, with norms of the outputs of attention and MLP.
    GLM4("glm4", Defaults.PLAIN.with(Trait.INTERLEAVED, Trait.OUTPUT_NORMS)) {
        @Override
        public WeightNames weightNames(ModelConfig config) {
            return fusedGateUp(config);
        }
    },
    /// SmolLM3: every fourth layer does not rotate.
    SMOLLM3(
            "smollm3",
            Defaults.PLAIN
                    .withWindow(WindowRule.SWITCHED_UNROTATED, 0)
                    .withTheta(2_000_000)
                    .with(Trait.UNROTATED_LAYERS, Trait.TIED)) {
        @Override
        public WeightNames weightNames(ModelConfig config) {
            return sameBias(config);
        }
    },
    /// GLM-4 in its original layout, which transformers loads with remote code.
    CHATGLM("chatglm", Defaults.PLAIN) {
        @Override
        public DecoderSpec spec(ModelConfig config) {
            return ConfigReader.chatGlm(config, name);
        }

        @Override
        public WeightNames weightNames(ModelConfig config) {
            boolean linear = config.bool("add_bias_linear", false);
            return new WeightNames(
                    "transformer.embedding.word_embeddings",
                    "transformer.encoder.final_layernorm",
                    "transformer.output_layer",
                    "transformer.encoder.layers.%d.",
                    new WeightNames.Attention(
                            "input_layernorm",
                            List.of("self_attention.query_key_value"),
                            "self_attention.q_norm",
                            "self_attention.k_norm",
                            "self_attention.dense",
                            "self_attention.output_norm",
                            linear || config.bool("add_qkv_bias", false),
                            linear),
                    new WeightNames.Mlp(
                            "post_attention_layernorm",
                            List.of("mlp.dense_h_to_4h"),
                            "mlp.dense_4h_to_h",
                            "mlp.output_norm",
                            linear));
        }
    };

    /// `model_type` in `config.json`.
    final String name;

    private final Defaults defaults;

    Family(String name, Defaults defaults) {
        this.name = name;
        this.defaults = defaults;
    }

    /// The decoder's shape.
    ///
    /// @throws CheckpointException if a key is missing, malformed, or requires something that this
    ///     engine does not support
    public DecoderSpec spec(ModelConfig config) {
        return ConfigReader.transformers(config, name, defaults);
    }

    /// The names of the weights that exist in the family's layout.
    public WeightNames weightNames(ModelConfig config) {
        return WeightNames.TRANSFORMERS;
    }

    /// All projections of attention have biases or none has, and so have those of the MLP.
    private static WeightNames sameBias(ModelConfig config) {
        boolean attention = config.bool("attention_bias", false);
        return WeightNames.TRANSFORMERS.withBiases(attention, attention, config.bool("mlp_bias", false));
    }

    private static WeightNames fusedGateUp(ModelConfig config) {
        return WeightNames.TRANSFORMERS
                .withFusedGateUp("mlp.gate_up_proj")
                .withBiases(config.bool("attention_bias", true), false, false);
    }

    /// Returns the family of a checkpoint.
    ///
    /// @throws CheckpointException if `model_type` is not a known family, with the reason if this
    ///     engine refuses it
    public static Family of(ModelConfig config) {
        String type = config.string("model_type");
        for (Family family : values()) {
            if (family.name.equals(type)) {
                return family;
            }
        }
        String known = Arrays.stream(values()).map(family -> family.name).collect(Collectors.joining(", "));
        String reason = RefusedFamily.reason(type);
        throw new CheckpointException(config.source() + ": model_type is \"" + type + "\""
                + (reason == null ? "" : ", which this engine refuses: " + reason) + "; this engine reads " + known
                + ". A checkpoint of another architecture cannot be loaded");
    }
}
