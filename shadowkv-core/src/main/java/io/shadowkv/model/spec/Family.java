package io.shadowkv.model.spec;

import io.shadowkv.checkpoint.CheckpointException;
import io.shadowkv.checkpoint.ModelConfig;
import io.shadowkv.model.spec.ConfigReader.Defaults;
import io.shadowkv.model.spec.ConfigReader.WindowRule;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/// The model families. Each reads its `config.json` into a [DecoderSpec] and names its weights. No
/// other code depends on the family.
public enum Family {
    /// Llama 2, 3 and 3.1, Yi, and every checkpoint whose `model_type` is `llama`.
    LLAMA("llama") {
        @Override
        public DecoderSpec spec(ModelConfig config) {
            return ConfigReader.transformers(config, name, new Defaults(false, WindowRule.LAYER_TYPES, 0));
        }

        @Override
        public WeightNames weightNames(ModelConfig config) {
            boolean attention = config.bool("attention_bias", false);
            return WeightNames.TRANSFORMERS.withBiases(attention, attention, config.bool("mlp_bias", false));
        }
    },
    /// Qwen2: biases on queries, keys and values.
    QWEN2("qwen2") {
        @Override
        public DecoderSpec spec(ModelConfig config) {
            return ConfigReader.transformers(config, name, new Defaults(false, WindowRule.SWITCHED, 0));
        }

        @Override
        public WeightNames weightNames(ModelConfig config) {
            return WeightNames.TRANSFORMERS.withBiases(true, false, false);
        }
    },
    /// Phi-3: fused projections, longrope.
    PHI3("phi3") {
        @Override
        public DecoderSpec spec(ModelConfig config) {
            return ConfigReader.transformers(config, name, new Defaults(false, WindowRule.EVERY_LAYER, 4096));
        }

        @Override
        public WeightNames weightNames(ModelConfig config) {
            return WeightNames.TRANSFORMERS
                    .withFusedQueryKeyValue("self_attn.qkv_proj")
                    .withFusedGateUp("mlp.gate_up_proj");
        }
    },
    /// GLM-4 in the layout of transformers: half of each head rotates, in pairs of neighbours.
    GLM("glm") {
        @Override
        public DecoderSpec spec(ModelConfig config) {
            return ConfigReader.transformers(config, name, new Defaults(true, WindowRule.LAYER_TYPES, 0));
        }

        @Override
        public WeightNames weightNames(ModelConfig config) {
            return WeightNames.TRANSFORMERS
                    .withFusedGateUp("mlp.gate_up_proj")
                    .withBiases(config.bool("attention_bias", true), false, false);
        }
    },
    /// GLM-4 in its original layout, which transformers loads with remote code.
    CHATGLM("chatglm") {
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
                            "self_attention.dense",
                            linear || config.bool("add_qkv_bias", false),
                            linear),
                    new WeightNames.Mlp(
                            "post_attention_layernorm", List.of("mlp.dense_h_to_4h"), "mlp.dense_4h_to_h", linear));
        }
    };

    /// `model_type` in `config.json`.
    final String name;

    Family(String name) {
        this.name = name;
    }

    /// The decoder's shape.
    ///
    /// @throws CheckpointException if a key is missing, malformed, or requires something that this
    ///     engine does not support
    public abstract DecoderSpec spec(ModelConfig config);

    public abstract WeightNames weightNames(ModelConfig config);

    /// Returns the family of a checkpoint.
    ///
    /// @throws CheckpointException if `model_type` is not a known family
    public static Family of(ModelConfig config) {
        String type = config.string("model_type");
        for (Family family : values()) {
            if (family.name.equals(type)) {
                return family;
            }
        }
        String known = Arrays.stream(values()).map(family -> family.name).collect(Collectors.joining(", "));
        throw new CheckpointException(config.source() + ": model_type is \"" + type + "\"; this engine reads " + known
                + ". A checkpoint of another architecture cannot be loaded");
    }
}
