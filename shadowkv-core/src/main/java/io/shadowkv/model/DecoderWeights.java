package io.shadowkv.model;

import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// All weights of a decoder, in a backend's memory; views of the mapped files if the backend
/// computes on the host. Created by [WeightLoader] or [RandomWeights].
///
/// @param embedding `[vocabulary, hiddenSize]`
/// @param layers one entry per layer
/// @param finalNorm `[hiddenSize]`
/// @param head `[vocabulary, hiddenSize]`; the same weight as `embedding` if they are tied
record DecoderWeights(Weight embedding, List<Layer> layers, Tensor finalNorm, Weight head) {
    DecoderWeights {
        layers = List.copyOf(layers);
    }

    /// Weights of one layer.
    record Layer(Attention attention, FeedForward feedForward) {}

    /// Weights of attention.
    ///
    /// @param norm `[hiddenSize]`
    /// @param queryNorm `[headDim]`, norm of each query head; null if the layer has none
    /// @param keyNorm `[headDim]`, norm of each key head; null if the layer has none
    /// @param outputNorm `[hiddenSize]`, norm of the projected output; null if the layer has none
    record Attention(
            Tensor norm,
            ProjectionGroup queryKeyValue,
            @Nullable Tensor queryNorm,
            @Nullable Tensor keyNorm,
            Projection output,
            @Nullable Tensor outputNorm) {}

    /// Weights of the feed-forward part.
    ///
    /// @param norm `[hiddenSize]`
    /// @param router `[experts, hiddenSize]`; null if there is one MLP for all tokens
    /// @param mlps one for each expert, or the only one
    /// @param outputNorm `[hiddenSize]`, norm of the output; null if the layer has none
    record FeedForward(
            Tensor norm,
            @Nullable Projection router,
            List<Mlp> mlps,
            @Nullable Tensor outputNorm) {
        FeedForward {
            mlps = List.copyOf(mlps);
        }
    }

    /// Weights of a gated MLP.
    record Mlp(ProjectionGroup gateUp, Projection down) {}
}
