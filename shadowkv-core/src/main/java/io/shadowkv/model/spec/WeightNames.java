package io.shadowkv.model.spec;

import java.util.List;

/// The name of each weight in a family's checkpoint. Names within a layer are relative to its
/// prefix and omit `.weight`.
///
/// @param embedding token embedding
/// @param finalNorm norm after the last layer
/// @param head output projection, absent in files with tied embeddings
/// @param layerPrefix prefix of layer i, with `%d` for i
/// @param attention weights of attention
/// @param mlp weights of the gated MLP
public record WeightNames(
        String embedding, String finalNorm, String head, String layerPrefix, Attention attention, Mlp mlp) {
    /// The layout that llama, qwen2 and glm share in Hugging Face transformers: separate matrices,
    /// no biases.
    static final WeightNames TRANSFORMERS = new WeightNames(
            "model.embed_tokens",
            "model.norm",
            "lm_head",
            "model.layers.%d.",
            new Attention(
                    "input_layernorm",
                    List.of("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
                    "self_attn.o_proj",
                    false,
                    false),
            new Mlp(
                    "post_attention_layernorm",
                    List.of("mlp.gate_proj", "mlp.up_proj"),
                    "mlp.down_proj",
                    false));

    /// Weights of attention.
    ///
    /// @param norm norm before attention
    /// @param queryKeyValue three names, or the name of one fused matrix with the rows of queries,
    ///     then keys, then values
    /// @param output output projection
    /// @param hasBias true if the first three projections have biases
    /// @param hasOutputBias true if the output projection has a bias
    public record Attention(
            String norm, List<String> queryKeyValue, String output, boolean hasBias, boolean hasOutputBias) {
        Attention withFused(String name) {
            return new Attention(norm, List.of(name), output, hasBias, hasOutputBias);
        }

        Attention withBiases(boolean inputs, boolean outputs) {
            return new Attention(norm, queryKeyValue, output, inputs, outputs);
        }
    }

    /// Weights of the gated MLP.
    ///
    /// @param norm norm before the MLP
    /// @param gateUp two names, or the name of one fused matrix with the gate rows first
    /// @param down output projection
    /// @param hasBias true if all projections have biases
    public record Mlp(String norm, List<String> gateUp, String down, boolean hasBias) {
        Mlp withFused(String name) {
            return new Mlp(norm, List.of(name), down, hasBias);
        }

        Mlp withBias(boolean exists) {
            return new Mlp(norm, gateUp, down, exists);
        }
    }

    WeightNames with(Attention names) {
        return new WeightNames(embedding, finalNorm, head, layerPrefix, names, mlp);
    }

    WeightNames with(Mlp names) {
        return new WeightNames(embedding, finalNorm, head, layerPrefix, attention, names);
    }

    WeightNames withBiases(boolean queryKeyValue, boolean attentionOutput, boolean inMlp) {
        return with(attention.withBiases(queryKeyValue, attentionOutput)).with(mlp.withBias(inMlp));
    }

    WeightNames withFusedQueryKeyValue(String name) {
        return with(attention.withFused(name));
    }

    WeightNames withFusedGateUp(String name) {
        return with(mlp.withFused(name));
    }
}
