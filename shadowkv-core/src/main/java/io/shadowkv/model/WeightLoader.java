package io.shadowkv.model;

import io.shadowkv.checkpoint.Checkpoint;
import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.model.spec.FeedForwardSpec;
import io.shadowkv.model.spec.LayerSpec;
import io.shadowkv.model.spec.WeightNames;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.BlockEncoder;
import io.shadowkv.tensor.BlockFormat;
import io.shadowkv.tensor.BlockWeight;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.HostMemory;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import io.shadowkv.tensor.WeightPrecision;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Finds, checks and places the weights of a checkpoint.
///
/// @param precision of the matrices in memory
/// @param scope owner of the weights that the backend copies
record WeightLoader(Checkpoint checkpoint, WeightPrecision precision, Backend backend, MemoryScope scope) {
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
        return place(quantised(checkpoint.weight(name, out, in)));
    }

    /// The output projection has 8 bits where the other matrices have 4.
    private Weight head(String name, DecoderSpec spec) {
        Weight stored = checkpoint.weight(name, spec.vocabularySize(), spec.hiddenSize());
        boolean isEncoded = precision != WeightPrecision.STORED && stored.inputs() % BlockFormat.Q8_0.elements() == 0;
        return place(isEncoded ? encoded(stored, BlockFormat.Q8_0) : stored);
    }

    private Weight place(Weight weight) {
        return placeRows(List.of(weight)).getFirst();
    }

    /// The weight in the precision asked for. Rows that are not a multiple of 32 elements stay as they
    /// are stored; those of a multiple of 256 have the better format of 4 bits.
    private Weight quantised(Weight weight) {
        boolean isBlocks = weight.inputs() % BlockFormat.Q8_0.elements() == 0;
        if (precision == WeightPrecision.STORED || !isBlocks) {
            return weight;
        }
        BlockFormat four = weight.inputs() % BlockFormat.Q4_K.elements() == 0 ? BlockFormat.Q4_K : BlockFormat.Q4_0;
        return encoded(weight, precision == WeightPrecision.INT8 ? BlockFormat.Q8_0 : four);
    }

    /// True if every matrix has rows that can be quantised.
    static boolean quantisesAll(DecoderSpec spec) {
        int elements = BlockFormat.Q8_0.elements();
        return spec.hiddenSize() % elements == 0
                && spec.queryWidth() % elements == 0
                && spec.intermediateSize() % elements == 0;
    }

    private Weight encoded(Weight weight, BlockFormat format) {
        int rowBytes = Math.toIntExact(format.rowBytes(weight.inputs()));
        Tensor target = scope.allocate(DType.I8, weight.outputs(), rowBytes);
        MemorySegment bytes = target.segment();
        IntStream.range(0, weight.outputs()).parallel().forEach(row -> {
            float[] numbers = new float[weight.inputs()];
            weight.decodeRow(row, numbers);
            BlockEncoder.encode(format, numbers, bytes, (long) row * rowBytes);
        });
        return new BlockWeight(format, weight.outputs(), weight.inputs(), new HostMemory(bytes), 0);
    }

    private Projection projection(String name, int out, int in, boolean hasBias) {
        return new Projection(matrix(name + ".weight", out, in), hasBias ? place(name + ".bias", out) : null);
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
        List<Weight> weights = new ArrayList<>();
        List<Tensor> biases = new ArrayList<>();
        for (int i = 0; i < widths.length; i++) {
            weights.add(quantised(checkpoint.weight(prefix + names.get(i) + ".weight", widths[i], in)));
            if (hasBias) {
                biases.add(checkpoint.tensor(prefix + names.get(i) + ".bias", widths[i]));
            }
        }
        List<Weight> placedWeights = placeRows(weights);
        List<Weight> placedBiases = placeRows(biases);
        for (int i = 0; i < widths.length; i++) {
            parts.add(new Projection(placedWeights.get(i), hasBias ? (Tensor) placedBiases.get(i) : null));
        }
        return ProjectionGroup.of(parts);
    }

    /// Places tensors or matrices. If the backend copies them, the copies are adjacent in memory; if
    /// it reads the mapped files, they stay where they are. A backend that copies gets plain numbers.
    private List<Weight> placeRows(List<? extends Weight> parts) {
        if (backend.isHostDevice()) {
            return parts.stream().map(this::placeOnHost).toList();
        }
        List<DType> types = parts.stream().map(this::placedType).distinct().toList();
        if (types.size() != 1) {
            return parts.stream()
                    .map(part -> placeRows(List.of(part)).getFirst())
                    .toList();
        }
        if (parts.size() == 1 && parts.getFirst() instanceof Tensor tensor) {
            return List.of(backend.place(tensor, scope));
        }
        Tensor whole = scope.allocate(types.getFirst(), extents(parts));
        List<Weight> placed = new ArrayList<>();
        int row = 0;
        for (Weight part : parts) {
            Tensor rows = whole.slice(row, part.outputs());
            if (part instanceof Tensor tensor) {
                backend.operations().dense().copy(tensor, rows);
            } else {
                decode(part, rows);
            }
            placed.add(rows);
            row += part.outputs();
        }
        return placed;
    }

    private Weight placeOnHost(Weight weight) {
        return weight instanceof Tensor tensor ? backend.place(tensor, scope) : weight;
    }

    private DType placedType(Weight weight) {
        return weight instanceof Tensor tensor ? tensor.dtype() : checkpoint.weightType();
    }

    private static int[] extents(List<? extends Weight> parts) {
        int outputs = parts.stream().mapToInt(Weight::outputs).sum();
        return parts.getFirst() instanceof Tensor tensor && tensor.shape().rank() == 1
                ? new int[] {outputs}
                : new int[] {outputs, parts.getFirst().inputs()};
    }

    /// True if matrices are decoded when they are placed.
    boolean isDecoding() {
        return !backend.isHostDevice() && checkpoint.isQuantised();
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
