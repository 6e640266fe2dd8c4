package io.shadowkv.model;

import io.shadowkv.checkpoint.Checkpoint;
import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.model.spec.FeedForwardSpec;
import io.shadowkv.model.spec.LayerSpec;
import io.shadowkv.model.spec.WeightNames;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Finds, checks and places the weights of a checkpoint.
///
/// @param scope owner of the weights that the backend copies
record WeightLoader(Checkpoint checkpoint, Backend backend, MemoryScope scope) {
    /// @throws io.shadowkv.checkpoint.CheckpointException if a weight is missing or has another
    ///     shape
    DecoderWeights load(DecoderSpec spec, WeightNames names) {
        Tensor embedding = place(embeddingName(spec, names), spec.vocabularySize(), spec.hiddenSize());
        List<DecoderWeights.Layer> layers = new ArrayList<>();
        for (int layer = 0; layer < spec.layers(); layer++) {
            String prefix = names.layerPrefix().formatted(layer);
            layers.add(new DecoderWeights.Layer(
                    attention(spec, spec.layer(layer), names.attention(), prefix),
                    feedForward(spec, spec.layer(layer), names.mlp(), prefix)));
        }
        Tensor finalNorm = place(names.finalNorm() + ".weight", spec.hiddenSize());
        Tensor head = spec.tiedEmbeddings()
                ? embedding
                : place(names.head() + ".weight", spec.vocabularySize(), spec.hiddenSize());
        return new DecoderWeights(embedding, layers, finalNorm, head);
    }

    /// Returns `stated` with `tiedEmbeddings` set according to the checkpoint. If the checkpoint
    /// has a head that differs from the embedding, that head is used whatever `tie_word_embeddings`
    /// says, as in transformers 5.
    ///
    /// @throws io.shadowkv.checkpoint.CheckpointException if the checkpoint's head has another
    ///     shape
    DecoderSpec withOwnHead(DecoderSpec stated, WeightNames names) {
        String embedding = names.embedding() + ".weight";
        String head = names.head() + ".weight";
        if (!stated.tiedEmbeddings() || !checkpoint.has(embedding) || !checkpoint.has(head)) {
            return stated;
        }
        Tensor embeddings = checkpoint.tensor(embedding, stated.vocabularySize(), stated.hiddenSize());
        Tensor own = checkpoint.tensor(head, stated.vocabularySize(), stated.hiddenSize());
        boolean isSame =
                embeddings.dtype() == own.dtype() && embeddings.segment().mismatch(own.segment()) < 0;
        return isSame ? stated : stated.withTiedEmbeddings(false);
    }

    /// A checkpoint may store tied weights under the head's name only.
    private String embeddingName(DecoderSpec spec, WeightNames names) {
        String name = names.embedding() + ".weight";
        String head = names.head() + ".weight";
        return spec.tiedEmbeddings() && !checkpoint.has(name) && checkpoint.has(head) ? head : name;
    }

    private DecoderWeights.Attention attention(
            DecoderSpec spec, LayerSpec layer, WeightNames.Attention names, String prefix) {
        int hidden = spec.hiddenSize();
        int[] widths = {spec.queryWidth(), spec.kvWidth(), spec.kvWidth()};
        return new DecoderWeights.Attention(
                place(prefix + names.norm() + ".weight", hidden),
                group(prefix, names.queryKeyValue(), hidden, names.hasBias(), widths),
                norm(layer.queryKeyNorm(), prefix + names.queryNorm(), spec.headDim()),
                norm(layer.queryKeyNorm(), prefix + names.keyNorm(), spec.headDim()),
                projection(prefix + names.output(), hidden, spec.queryWidth(), names.hasOutputBias()),
                norm(layer.outputNorms(), prefix + names.outputNorm(), hidden));
    }

    private DecoderWeights.FeedForward feedForward(
            DecoderSpec spec, LayerSpec layer, WeightNames.Mlp names, String prefix) {
        int hidden = spec.hiddenSize();
        int width = layer.feedForward().intermediateSize();
        Projection router = null;
        List<DecoderWeights.Mlp> mlps = new ArrayList<>();
        switch (layer.feedForward()) {
            case FeedForwardSpec.Gated gated -> mlps.add(mlp(names, prefix, hidden, width));
            case FeedForwardSpec.Experts experts -> {
                router = projection(prefix + names.router(), experts.count(), hidden, false);
                for (int i = 0; i < experts.count(); i++) {
                    mlps.add(mlp(names.expert(i), prefix, hidden, width));
                }
            }
        }
        return new DecoderWeights.FeedForward(
                place(prefix + names.norm() + ".weight", hidden),
                router,
                mlps,
                norm(layer.outputNorms(), prefix + names.outputNorm(), hidden));
    }

    private DecoderWeights.Mlp mlp(WeightNames.Mlp names, String prefix, int hidden, int width) {
        return new DecoderWeights.Mlp(
                group(prefix, names.gateUp(), hidden, names.hasBias(), width, width),
                projection(prefix + names.down(), hidden, width, names.hasBias()));
    }

    private @Nullable Tensor norm(boolean exists, String name, int width) {
        return exists ? place(name + ".weight", width) : null;
    }

    private Tensor place(String name, int... extents) {
        return backend.place(checkpoint.tensor(name, extents), scope);
    }

    private Projection projection(String name, int out, int in, boolean hasBias) {
        return new Projection(place(name + ".weight", out, in), hasBias ? place(name + ".bias", out) : null);
    }

    /// One projection for each width: separate matrices, or row ranges of one fused matrix.
    private ProjectionGroup group(String prefix, List<String> names, int in, boolean hasBias, int... widths) {
        List<Projection> parts = new ArrayList<>();
        if (names.size() < widths.length) {
            Projection fused =
                    projection(prefix + names.getFirst(), Arrays.stream(widths).sum(), in, hasBias);
            int row = 0;
            for (int width : widths) {
                parts.add(fused.rows(row, width));
                row += width;
            }
            return ProjectionGroup.of(parts);
        }
        List<Tensor> weights = new ArrayList<>();
        List<Tensor> biases = new ArrayList<>();
        for (int i = 0; i < widths.length; i++) {
            weights.add(checkpoint.tensor(prefix + names.get(i) + ".weight", widths[i], in));
            if (hasBias) {
                biases.add(checkpoint.tensor(prefix + names.get(i) + ".bias", widths[i]));
            }
        }
        List<Tensor> placedWeights = placeRows(weights);
        List<@Nullable Tensor> placedBiases = new ArrayList<>(placeRows(biases));
        for (int i = 0; i < widths.length; i++) {
            parts.add(new Projection(placedWeights.get(i), hasBias ? placedBiases.get(i) : null));
        }
        return ProjectionGroup.of(parts);
    }

    /// Places tensors. If the backend copies them, the copies are adjacent in memory; if it reads
    /// the mapped files, they stay where they are.
    private List<Tensor> placeRows(List<Tensor> parts) {
        boolean isOneType = parts.stream().map(Tensor::dtype).distinct().count() == 1;
        if (backend.isHostDevice() || !isOneType) {
            return parts.stream().map(part -> backend.place(part, scope)).toList();
        }
        int[] extents = parts.getFirst().shape().toArray();
        extents[0] = parts.stream().mapToInt(part -> part.extent(0)).sum();
        Tensor whole = scope.allocate(parts.getFirst().dtype(), extents);
        List<Tensor> placed = new ArrayList<>();
        int row = 0;
        for (Tensor part : parts) {
            Tensor rows = whole.slice(row, part.extent(0));
            backend.operations().dense().copy(part, rows);
            placed.add(rows);
            row += part.extent(0);
        }
        return placed;
    }
}
