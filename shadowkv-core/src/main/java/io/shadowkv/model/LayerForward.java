package io.shadowkv.model;

import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.op.DenseOperations;
import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import java.util.List;
import java.util.stream.Stream;

/// The parts of a decoder layer around attention: norm and projection to queries, keys and values
/// before it; output projection, norm and gated MLP after it. Prefill and decode implement
/// attention differently.
final class LayerForward {
    private final DecoderSpec spec;
    private final DecoderWeights weights;
    private final DenseOperations dense;

    LayerForward(DecoderSpec spec, DecoderWeights weights, DenseOperations dense) {
        this.spec = spec;
        this.weights = weights;
        this.dense = dense;
    }

    /// Computes queries, keys and values of some rows, before rotation.
    ///
    /// @param hidden the residual stream `[r, hiddenSize]`
    /// @param work buffers of exactly r rows
    void project(int layer, Tensor hidden, Workspace work) {
        DecoderWeights.Layer w = weights.layers().get(layer);
        dense.rmsNorm(hidden, w.inputNorm(), spec.normEpsilon(), work.normed());
        apply(w.queryKeyValue(), work.normed(), List.of(work.queries(), work.keys(), work.values()));
    }

    /// Adds the contribution of `layer` to the residual stream: the projection of attention's
    /// output, and the MLP.
    ///
    /// @param hidden `[r, hiddenSize]`, in place
    /// @param work buffers of exactly r rows
    void complete(int layer, Tensor hidden, Workspace work) {
        DecoderWeights.Layer w = weights.layers().get(layer);
        add(w.output(), work.attended(), work.projected(), hidden);

        dense.rmsNorm(hidden, w.postNorm(), spec.normEpsilon(), work.normed());
        ProjectionGroup gateUp = w.gateUp();
        dense.gatedLinear(work.normed(), gateUp.weights(), gateUp.biases(), work.gate(), work.up());
        add(w.down(), work.gate(), work.projected(), hidden);
    }

    /// Bytes of the matrices of the first layer, as they are stored.
    long layerBytes() {
        return bytes(weights.layers().getFirst());
    }

    /// Bytes of all matrices that a step reads once: those of the layers and the head.
    long stepBytes() {
        return weights.layers().stream().mapToLong(LayerForward::bytes).sum()
                + weights.head().byteSize();
    }

    private static long bytes(DecoderWeights.Layer layer) {
        return Stream.<List<? extends Weight>>of(
                        layer.queryKeyValue().weights(),
                        List.of(layer.output().weight()),
                        layer.gateUp().weights(),
                        List.of(layer.down().weight()))
                .flatMap(List::stream)
                .mapToLong(Weight::byteSize)
                .sum();
    }

    /// Computes the logits of some rows: the final norm and the output projection.
    ///
    /// @param hidden `[r, hiddenSize]`
    /// @param normed scratch, the same shape
    /// @param logits `[r, vocabulary]`
    void head(Tensor hidden, Tensor normed, Tensor logits) {
        dense.rmsNorm(hidden, weights.finalNorm(), spec.normEpsilon(), normed);
        dense.linear(normed, weights.head(), null, logits);
    }

    void embed(Tensor ids, Tensor hidden) {
        dense.embed(ids, weights.embedding(), hidden);
    }

    private void apply(ProjectionGroup group, Tensor input, List<Tensor> outputs) {
        List<Tensor> flat = outputs.stream().map(LayerForward::flat).toList();
        dense.linears(input, group.weights(), group.biases(), flat);
    }

    private void add(Projection projection, Tensor input, Tensor scratch, Tensor target) {
        dense.addLinear(flat(input), projection.weight(), projection.bias(), scratch, target);
    }

    /// Merges the heads of each row into one axis.
    private static Tensor flat(Tensor rows) {
        int count = rows.extent(0);
        return rows.reshape(count, Math.toIntExact(rows.elements() / count));
    }
}
