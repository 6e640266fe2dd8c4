package io.shadowkv.model;

import io.shadowkv.tensor.Tensor;
import java.util.List;

/// All weights of a decoder, in a backend's memory: views of the mapped files where the backend computes on the
/// host. Filled by [WeightLoader] or [RandomWeights].
///
/// @param embedding `[vocabulary, hiddenSize]`
/// @param layers one entry a layer
/// @param finalNorm `[hiddenSize]`
/// @param head `[vocabulary, hiddenSize]`; the embedding itself where they are tied
record DecoderWeights(Tensor embedding, List<Layer> layers, Tensor finalNorm, Tensor head) {
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
