package io.shadowkv.model;

import io.shadowkv.checkpoint.Checkpoint;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// All weights of a decoder, in a backend's memory: views of the mapped files where the backend computes on the
/// host.
///
/// @param embedding [vocabulary, hiddenSize]
/// @param layers one entry a layer
/// @param finalNorm [hiddenSize]
/// @param head [vocabulary, hiddenSize]; the embedding itself where they are tied
record DecoderWeights(Tensor embedding, List<Layer> layers, Tensor finalNorm, Tensor head) {
    /// Weights of one layer.
    record Layer(
            Tensor inputNorm,
            Projection query,
            Projection key,
            Projection value,
            Projection output,
            Tensor postNorm,
            Projection gate,
            Projection up,
            Projection down) {}

    DecoderWeights {
        layers = List.copyOf(layers);
    }

    /// Finds, checks and places every weight.
    ///
    /// @throws io.shadowkv.checkpoint.CheckpointException if one is missing or of another shape
    static DecoderWeights load(
            Checkpoint checkpoint, DecoderSpec spec, WeightNames names, Backend backend, MemoryScope scope) {
        Loader loader = new Loader(checkpoint, backend, scope);
        Tensor embedding = loader.tensor(names.embedding() + ".weight", spec.vocabularySize(), spec.hiddenSize());
        List<Layer> layers = new ArrayList<>();
        for (int layer = 0; layer < spec.layers(); layer++) {
            layers.add(loader.layer(spec, names, names.layerPrefix().formatted(layer)));
        }
        Tensor finalNorm = loader.tensor(names.finalNorm() + ".weight", spec.hiddenSize());
        Tensor head = spec.tiedEmbeddings()
                ? embedding
                : loader.tensor(names.head() + ".weight", spec.vocabularySize(), spec.hiddenSize());
        return new DecoderWeights(embedding, layers, finalNorm, head);
    }

    private record Loader(Checkpoint checkpoint, Backend backend, MemoryScope scope) {
        Tensor tensor(String name, int... extents) {
            return backend.place(checkpoint.tensor(name, extents), scope);
        }

        Projection projection(String name, int out, int in, boolean hasBias) {
            return new Projection(tensor(name + ".weight", out, in), hasBias ? tensor(name + ".bias", out) : null);
        }

        Layer layer(DecoderSpec spec, WeightNames names, String prefix) {
            int hidden = spec.hiddenSize();
            int intermediate = spec.intermediateSize();
            List<Projection> attention = projections(
                    prefix,
                    names.queryKeyValue(),
                    hidden,
                    names.qkvBias(),
                    spec.queryWidth(),
                    spec.kvWidth(),
                    spec.kvWidth());
            List<Projection> mlp =
                    projections(prefix, names.gateUp(), hidden, names.mlpBias(), intermediate, intermediate);
            return new Layer(
                    tensor(prefix + names.inputNorm() + ".weight", hidden),
                    attention.get(0),
                    attention.get(1),
                    attention.get(2),
                    projection(prefix + names.output(), hidden, spec.queryWidth(), names.outputBias()),
                    tensor(prefix + names.postNorm() + ".weight", hidden),
                    mlp.get(0),
                    mlp.get(1),
                    projection(prefix + names.down(), hidden, intermediate, names.mlpBias()));
        }

        /// One projection for each width: separate matrices, or row ranges of one fused matrix.
        private List<Projection> projections(
                String prefix, List<String> names, int in, boolean hasBias, int... widths) {
            List<Projection> parts = new ArrayList<>();
            if (names.size() == widths.length) {
                for (int i = 0; i < widths.length; i++) {
                    parts.add(projection(prefix + names.get(i), widths[i], in, hasBias));
                }
                return parts;
            }
            int total = java.util.Arrays.stream(widths).sum();
            Projection fused = projection(prefix + names.getFirst(), total, in, hasBias);
            int row = 0;
            for (int width : widths) {
                parts.add(fused.rows(row, width));
                row += width;
            }
            return parts;
        }
    }
}
