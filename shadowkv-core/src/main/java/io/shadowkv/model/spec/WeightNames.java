package io.shadowkv.model.spec;

import java.util.List;

/// The name of each weight in a family's checkpoint. Names within a layer are relative to its
/// prefix and omit `.weight`.
///
/// @param embedding token embedding
/// @param finalNorm norm after the last layer
/// @param head output projection, absent in files with tied embeddings
/// @param layerPrefix prefix of layer i, with `%d` for i
/// @param inputNorm norm before attention
/// @param postNorm norm before the MLP
/// @param queryKeyValue three names, or the name of one fused matrix with the rows of queries, then
///     keys, then values
/// @param output output projection of attention
/// @param gateUp two names, or the name of one fused matrix with the gate rows first
/// @param down output projection of the MLP
/// @param qkvBias true if the first three projections have biases
/// @param outputBias true if the output projection of attention has a bias
/// @param mlpBias true if the projections of the MLP have biases
public record WeightNames(
        String embedding,
        String finalNorm,
        String head,
        String layerPrefix,
        String inputNorm,
        String postNorm,
        List<String> queryKeyValue,
        String output,
        List<String> gateUp,
        String down,
        boolean qkvBias,
        boolean outputBias,
        boolean mlpBias) {
    /// The layout that llama, qwen2 and glm share in Hugging Face transformers: separate matrices,
    /// no biases.
    static final WeightNames TRANSFORMERS = new WeightNames(
            "model.embed_tokens",
            "model.norm",
            "lm_head",
            "model.layers.%d.",
            "input_layernorm",
            "post_attention_layernorm",
            List.of("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
            "self_attn.o_proj",
            List.of("mlp.gate_proj", "mlp.up_proj"),
            "mlp.down_proj",
            false,
            false,
            false);

    WeightNames withBiases(boolean qkv, boolean attentionOutput, boolean mlp) {
        return new WeightNames(
                embedding,
                finalNorm,
                head,
                layerPrefix,
                inputNorm,
                postNorm,
                queryKeyValue,
                output,
                gateUp,
                down,
                qkv,
                attentionOutput,
                mlp);
    }

    WeightNames withFusedQueryKeyValue(String name) {
        return new WeightNames(
                embedding,
                finalNorm,
                head,
                layerPrefix,
                inputNorm,
                postNorm,
                List.of(name),
                output,
                gateUp,
                down,
                qkvBias,
                outputBias,
                mlpBias);
    }

    WeightNames withFusedGateUp(String name) {
        return new WeightNames(
                embedding,
                finalNorm,
                head,
                layerPrefix,
                inputNorm,
                postNorm,
                queryKeyValue,
                output,
                List.of(name),
                down,
                qkvBias,
                outputBias,
                mlpBias);
    }
}
