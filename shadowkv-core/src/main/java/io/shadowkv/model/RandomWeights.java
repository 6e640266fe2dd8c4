package io.shadowkv.model;

import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.model.spec.FeedForwardSpec;
import io.shadowkv.model.spec.LayerSpec;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Random weights of a known shape, for benchmarks: normally distributed as before training, and
/// equal for equal seeds on every backend. There are no biases, whatever the family.
final class RandomWeights {
    private static final double DEVIATION = 0.02;

    private final DecoderSpec spec;
    private final DType type;
    private final Backend backend;
    private final MemoryScope scope;
    private final long seed;
    private int tensors;

    /// @param type of all weights
    /// @param scope owner of the weights
    RandomWeights(DecoderSpec spec, DType type, long seed, Backend backend, MemoryScope scope) {
        this.spec = spec;
        this.type = type;
        this.seed = seed;
        this.backend = backend;
        this.scope = scope;
    }

    DecoderWeights fill() {
        int hidden = spec.hiddenSize();
        // The residual stream sums 2 · layers contributions; this factor keeps its variance
        // (GPT-2's initialisation).
        double last = DEVIATION / Math.sqrt(2.0 * spec.layers());
        Tensor embedding = matrix(spec.vocabularySize(), hidden, DEVIATION);
        Tensor ones = ones(hidden);
        Tensor headOnes = ones(spec.headDim());
        List<DecoderWeights.Layer> layers = new ArrayList<>();
        for (LayerSpec layer : spec.layerSpecs()) {
            layers.add(new DecoderWeights.Layer(
                    new DecoderWeights.Attention(
                            ones,
                            group(hidden, spec.queryWidth(), spec.kvWidth(), spec.kvWidth()),
                            layer.queryKeyNorm() ? headOnes : null,
                            layer.queryKeyNorm() ? headOnes : null,
                            new Projection(matrix(hidden, spec.queryWidth(), last), null),
                            layer.outputNorms() ? ones : null),
                    feedForward(layer, ones, last)));
        }
        Tensor head = spec.tiedEmbeddings() ? embedding : matrix(spec.vocabularySize(), hidden, DEVIATION);
        return new DecoderWeights(embedding, layers, ones, head);
    }

    private DecoderWeights.FeedForward feedForward(LayerSpec layer, Tensor ones, double last) {
        int hidden = spec.hiddenSize();
        int width = layer.feedForward().intermediateSize();
        int experts = layer.feedForward() instanceof FeedForwardSpec.Experts some ? some.count() : 0;
        Projection router = experts == 0 ? null : new Projection(matrix(experts, hidden, DEVIATION), null);
        List<DecoderWeights.Mlp> mlps = new ArrayList<>();
        for (int i = 0; i < Math.max(1, experts); i++) {
            mlps.add(new DecoderWeights.Mlp(
                    group(hidden, width, width), new Projection(matrix(hidden, width, last), null)));
        }
        return new DecoderWeights.FeedForward(ones, router, mlps, layer.outputNorms() ? ones : null);
    }

    private Tensor matrix(int out, int in, double deviation) {
        Tensor weight = scope.allocate(type, out, in);
        // The seeds of different tensors and of different runs never coincide.
        backend.operations().dense().fillNormal(weight, seed << 32 | tensors++, deviation);
        return weight;
    }

    private ProjectionGroup group(int in, int... widths) {
        Projection whole = new Projection(matrix(Arrays.stream(widths).sum(), in, DEVIATION), null);
        List<Projection> parts = new ArrayList<>();
        int row = 0;
        for (int width : widths) {
            parts.add(whole.rows(row, width));
            row += width;
        }
        return ProjectionGroup.of(parts);
    }

    /// `[width]` ones, shared by all norms of this width.
    private Tensor ones(int width) {
        Tensor weight = scope.allocate(type, width);
        try (Arena arena = Arena.ofConfined()) {
            Tensor host = Tensor.of(type, weight.shape(), arena.allocate(weight.byteSize(), 64));
            float[] values = new float[width];
            Arrays.fill(values, 1);
            Floats.fill(host, values);
            backend.operations().dense().copy(host, weight);
            backend.synchronize();
        }
        return weight;
    }
}
