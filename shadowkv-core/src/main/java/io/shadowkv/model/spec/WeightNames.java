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
    /// The layout of most families in Hugging Face transformers: separate matrices, no biases. Which
    /// of the optional norms exist is [LayerSpec]'s.
    static final WeightNames TRANSFORMERS = new WeightNames(
            "model.embed_tokens",
            "model.norm",
            "lm_head",
            "model.layers.%d.",
            new Attention(
                    "input_layernorm",
                    List.of("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
                    "self_attn.q_norm",
                    "self_attn.k_norm",
                    "self_attn.o_proj",
                    "post_self_attn_layernorm",
                    false,
                    false),
            new Mlp(
                    "post_attention_layernorm",
                    List.of("mlp.gate_proj", "mlp.up_proj"),
                    "mlp.down_proj",
                    "post_mlp_layernorm",
                    false));

    /// Weights of attention.
    ///
    /// @param norm norm before attention
    /// @param queryKeyValue three names, or the name of one fused matrix with the rows of queries,
    ///     then keys, then values
    /// @param queryNorm norm of each query head, where a layer has one
    /// @param keyNorm norm of each key head, where a layer has one
    /// @param output output projection
    /// @param outputNorm norm of the projected output, where a layer has one
    /// @param hasBias true if the first three projections have biases
    /// @param hasOutputBias true if the output projection has a bias
    public record Attention(
            String norm,
            List<String> queryKeyValue,
            String queryNorm,
            String keyNorm,
            String output,
            String outputNorm,
            boolean hasBias,
            boolean hasOutputBias) {
        Attention withFused(String name) {
            return new Attention(norm, List.of(name), queryNorm, keyNorm, output, outputNorm, hasBias, hasOutputBias);
        }

        Attention withBiases(boolean inputs, boolean outputs) {
            return new Attention(norm, queryKeyValue, queryNorm, keyNorm, output, outputNorm, inputs, outputs);
        }
    }

    /// Weights of the gated MLP.
    ///
    /// @param norm norm before the MLP
    /// @param gateUp two names, or the name of one fused matrix with the gate rows first
    /// @param down output projection
    /// @param outputNorm norm of the output, where a layer has one
    /// @param hasBias true if all projections have biases
    public record Mlp(String norm, List<String> gateUp, String down, String outputNorm, boolean hasBias) {
        /// The projection that chooses experts, where a layer has them.
        public String router() {
            return "mlp.gate";
        }

        /// The names of one expert's projections: those of the MLP, in a folder of its own.
        public Mlp expert(int index) {
            String folder = "mlp.experts." + index + ".";
            return new Mlp(
                    norm,
                    gateUp.stream()
                            .map(name -> name.replaceFirst("^mlp\\.", folder))
                            .toList(),
                    down.replaceFirst("^mlp\\.", folder),
                    outputNorm,
                    hasBias);
        }

        Mlp withFused(String name) {
            return new Mlp(norm, List.of(name), down, outputNorm, hasBias);
        }

        Mlp withDown(String name) {
            return new Mlp(norm, gateUp, name, outputNorm, hasBias);
        }

        Mlp withBias(boolean exists) {
            return new Mlp(norm, gateUp, down, outputNorm, exists);
        }
    }

    WeightNames with(Attention names) {
        return new WeightNames(embedding, finalNorm, head, layerPrefix, names, mlp);
    }

    WeightNames with(Mlp names) {
        return new WeightNames(embedding, finalNorm, head, layerPrefix, attention, names);
    }

    /// The same names below `prefix`, for a model inside another.
    WeightNames within(String prefix) {
        return new WeightNames(
                prefix + embedding, prefix + finalNorm, prefix + head, prefix + layerPrefix, attention, mlp);
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
