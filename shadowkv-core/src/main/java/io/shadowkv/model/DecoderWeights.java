package io.shadowkv.model;

import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import java.util.List;

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
    record Layer(
            Tensor inputNorm,
            ProjectionGroup queryKeyValue,
            Projection output,
            Tensor postNorm,
            ProjectionGroup gateUp,
            Projection down) {}
}
