package io.shadowkv.model;

import io.shadowkv.checkpoint.Checkpoint;
import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.model.spec.FeedForwardSpec;
import io.shadowkv.model.spec.LayerSpec;
import io.shadowkv.model.spec.WeightNames;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Finds, checks and places the weights of a checkpoint.
///
/// @param encoder quantises the matrices to the precision that they have in memory
/// @param scope owner of the weights that the backend copies
/// @param decoded counts the matrices that are decoded because the backend has no kernel for them
record WeightLoader(
        Checkpoint checkpoint, WeightEncoder encoder, Backend backend, MemoryScope scope, AtomicInteger decoded) {
    private static final int PIECE_ELEMENTS = 1 << 24;

    /// @throws io.shadowkv.checkpoint.CheckpointException if a weight is missing or has another
    ///     shape
    DecoderWeights load(DecoderSpec spec, WeightNames names) {
        String embeddingName = embeddingName(spec, names);
        Weight embedding = spec.tiedEmbeddings()
                ? head(embeddingName, spec)
                : place(checkpoint.weight(embeddingName, spec.vocabularySize(), spec.hiddenSize()));
        List<DecoderWeights.Layer> layers = new ArrayList<>();
        for (int layer = 0; layer < spec.layers(); layer++) {
            String prefix = names.layerPrefix().formatted(layer);
            layers.add(new DecoderWeights.Layer(
                    attention(spec, spec.layer(layer), names.attention(), prefix),
                    feedForward(spec, spec.layer(layer), names.mlp(), prefix)));
        }
        Tensor finalNorm = place(names.finalNorm() + ".weight", spec.hiddenSize());
        Weight head = spec.tiedEmbeddings() ? embedding : head(names.head() + ".weight", spec);
        checkpoint.requireAllRead();
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
        if (!stated.tiedEmbeddings() || !checkpoint.hasWeight(embedding) || !checkpoint.hasWeight(head)) {
            return stated;
        }
        Weight embeddings = checkpoint.weight(embedding, stated.vocabularySize(), stated.hiddenSize());
        Weight own = checkpoint.weight(head, stated.vocabularySize(), stated.hiddenSize());
        boolean isSame = embeddings instanceof Tensor first
                && own instanceof Tensor second
                && first.dtype() == second.dtype()
                && first.segment().mismatch(second.segment()) < 0;
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
                // Never quantised on load: it is small, and its errors change which experts are chosen.
                String name = prefix + names.router() + ".weight";
                router = new Projection(place(checkpoint.weight(name, experts.count(), hidden)), null);
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

    private Weight matrix(String name, int out, int in) {
        return placeMatrices(List.of(new Matrix(name, checkpoint.weight(name, out, in), false)))
                .getFirst();
    }

    private Weight head(String name, DecoderSpec spec) {
        Weight stored = checkpoint.weight(name, spec.vocabularySize(), spec.hiddenSize());
        return placeMatrices(List.of(new Matrix(name, stored, true))).getFirst();
    }

    private Weight place(Weight weight) {
        return placeRows(List.of(weight)).getFirst();
    }

    /// True if every matrix of every layer has rows that can be quantised.
    boolean quantisesAll(DecoderSpec spec) {
        return encoder.encodes(spec.hiddenSize())
                && encoder.encodes(spec.queryWidth())
                && spec.layerSpecs().stream()
                        .allMatch(layer -> encoder.encodes(layer.feedForward().intermediateSize()));
    }

    private Projection projection(String name, int out, int in, boolean hasBias) {
        return new Projection(matrix(name + ".weight", out, in), hasBias ? place(name + ".bias", out) : null);
    }

    /// One projection for each width: separate matrices, or row ranges of one fused matrix.
    private ProjectionGroup group(String prefix, List<String> names, int in, boolean hasBias, int... widths) {
        boolean isFused = names.size() < widths.length;
        int total = Arrays.stream(widths).sum();
        List<Matrix> matrices = new ArrayList<>();
        List<Tensor> biases = new ArrayList<>();
        int row = 0;
        for (int i = 0; i < widths.length; i++) {
            String name = prefix + names.get(isFused ? 0 : i);
            Weight weight = checkpoint.weight(name + ".weight", isFused ? total : widths[i], in);
            matrices.add(new Matrix(name + ".weight", isFused ? weight.slice(row, widths[i]) : weight, false));
            if (hasBias) {
                Tensor bias = checkpoint.tensor(name + ".bias", isFused ? total : widths[i]);
                biases.add(isFused ? bias.slice(row, widths[i]) : bias);
            }
            row += widths[i];
        }
        List<Weight> placedWeights = placeMatrices(matrices);
        List<Weight> placedBiases = placeRows(biases);
        List<Projection> parts = new ArrayList<>();
        for (int i = 0; i < widths.length; i++) {
            parts.add(new Projection(placedWeights.get(i), hasBias ? (Tensor) placedBiases.get(i) : null));
        }
        return ProjectionGroup.of(parts);
    }

    /// A matrix of the checkpoint.
    ///
    /// @param name of its tensor
    /// @param isHead true for the output projection
    private record Matrix(String name, Weight weight, boolean isHead) {}

    /// Places matrices in the precision asked for. Those with rows that cannot be quantised stay as
    /// they are stored.
    private List<Weight> placeMatrices(List<Matrix> matrices) {
        if (matrices.stream().noneMatch(matrix -> encoder.encodes(matrix.weight.inputs()))) {
            return placeRows(matrices.stream().map(Matrix::weight).toList());
        }
        return matrices.stream()
                .map(matrix -> encoder.encodes(matrix.weight.inputs()) ? placeEncoded(matrix) : place(matrix.weight))
                .toList();
    }

    private Weight placeEncoded(Matrix matrix) {
        if (backend.isHostDevice()) {
            return encoder.encode(matrix.name, matrix.weight, matrix.isHead, scope::allocate);
        }
        try (Arena arena = Arena.ofShared()) {
            Weight encoded = encoder.encode(matrix.name, matrix.weight, matrix.isHead, WeightEncoder.of(arena));
            return encoder.place(encoded, backend, scope);
        }
    }

    /// Places tensors or matrices. If the backend copies plain numbers, the copies are adjacent in
    /// memory; if it reads the mapped files, they stay where they are.
    private List<Weight> placeRows(List<? extends Weight> parts) {
        if (parts.isEmpty()) {
            return List.of();
        }
        if (backend.isHostDevice()) {
            return parts.stream().map(this::placeOnHost).toList();
        }
        if (!parts.stream().allMatch(Tensor.class::isInstance)) {
            return parts.stream().map(this::placeOnDevice).toList();
        }
        List<Tensor> tensors = parts.stream().map(Tensor.class::cast).toList();
        if (parts.size() == 1 || tensors.stream().map(Tensor::dtype).distinct().count() != 1) {
            return tensors.stream()
                    .<Weight>map(tensor -> backend.place(tensor, scope))
                    .toList();
        }
        Tensor whole = scope.allocate(tensors.getFirst().dtype(), extents(tensors));
        List<Weight> placed = new ArrayList<>();
        int row = 0;
        for (Tensor tensor : tensors) {
            Tensor rows = whole.slice(row, tensor.outputs());
            backend.operations().dense().copy(tensor, rows);
            placed.add(rows);
            row += tensor.outputs();
        }
        return placed;
    }

    private Weight placeOnHost(Weight weight) {
        return weight instanceof Tensor tensor ? backend.place(tensor, scope) : weight;
    }

    /// A matrix in a format that the backend has no kernel for is decoded.
    private Weight placeOnDevice(Weight weight) {
        if (weight instanceof Tensor tensor) {
            return backend.place(tensor, scope);
        }
        Weight placed = backend.placeQuantised(weight, scope);
        if (placed != null) {
            return placed;
        }
        Tensor rows = scope.allocate(checkpoint.weightType(), weight.outputs(), weight.inputs());
        decode(weight, rows);
        decoded.incrementAndGet();
        return rows;
    }

    private static int[] extents(List<Tensor> parts) {
        int outputs = parts.stream().mapToInt(Weight::outputs).sum();
        return parts.getFirst().shape().rank() == 1
                ? new int[] {outputs}
                : new int[] {outputs, parts.getFirst().inputs()};
    }

    /// Number of matrices that were decoded when they were placed.
    int decodedMatrices() {
        return decoded.get();
    }

    /// Decodes a matrix to `target`, some rows at a time: those of one piece in parallel.
    private void decode(Weight weight, Tensor target) {
        int inputs = weight.inputs();
        int piece = Math.clamp(PIECE_ELEMENTS / inputs, 1, weight.outputs());
        try (Arena arena = Arena.ofShared()) {
            Tensor staging = Tensor.of(
                    target.dtype(),
                    Shape.of(piece, inputs),
                    arena.allocate((long) piece * inputs * target.dtype().bytes(), 64));
            for (int row = 0; row < weight.outputs(); row += piece) {
                int first = row;
                int count = Math.min(piece, weight.outputs() - row);
                IntStream.range(0, count).parallel().forEach(i -> {
                    float[] decoded = new float[inputs];
                    weight.decodeRow(first + i, decoded);
                    Floats.fill(staging.row(i), decoded);
                });
                backend.operations().dense().copy(staging.slice(0, count), target.slice(row, count));
                backend.synchronize();
            }
        }
    }
}
