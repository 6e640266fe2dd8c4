package io.shadowkv.model;

import io.shadowkv.op.DenseOperations;
import io.shadowkv.tensor.Tensor;

/// One decoder layer over some rows: norm, queries-keys-values, attention, projection, norm, gated MLP.
final class LayerForward {
    private final DecoderSpec spec;
    private final DecoderWeights weights;
    private final DenseOperations dense;

    LayerForward(DecoderSpec spec, DecoderWeights weights, DenseOperations dense) {
        this.spec = spec;
        this.weights = weights;
        this.dense = dense;
    }

    /// Adds layer `layer`'s contribution to the residual stream.
    ///
    /// @param hidden [r, hiddenSize], in place
    /// @param work buffers of exactly r rows
    void run(int layer, Tensor hidden, Workspace work, LayerAttention attention) {
        DecoderWeights.Layer w = weights.layers().get(layer);
        dense.rmsNorm(hidden, w.inputNorm(), spec.normEpsilon(), work.normed());
        apply(w.query(), work.normed(), work.queries());
        apply(w.key(), work.normed(), work.keys());
        apply(w.value(), work.normed(), work.values());
        attention.attend(layer, work.queries(), work.keys(), work.values(), work.attended());
        apply(w.output(), work.attended(), work.projected());
        dense.add(hidden, work.projected());

        dense.rmsNorm(hidden, w.postNorm(), spec.normEpsilon(), work.normed());
        apply(w.gate(), work.normed(), work.gate());
        apply(w.up(), work.normed(), work.up());
        dense.gatedSilu(work.gate(), work.up());
        apply(w.down(), work.gate(), work.projected());
        dense.add(hidden, work.projected());
    }

    /// Logits of some rows: the last norm and the output projection.
    ///
    /// @param hidden [r, hiddenSize]
    /// @param normed scratch, the same shape
    /// @param logits [r, vocabulary]
    void head(Tensor hidden, Tensor normed, Tensor logits) {
        dense.rmsNorm(hidden, weights.finalNorm(), spec.normEpsilon(), normed);
        dense.linear(normed, weights.head(), null, logits);
    }

    void embed(Tensor ids, Tensor hidden) {
        dense.embed(ids, weights.embedding(), hidden);
    }

    private void apply(Projection projection, Tensor input, Tensor output) {
        int rows = input.extent(0);
        int out = projection.weight().extent(0);
        int in = projection.weight().extent(1);
        dense.linear(input.reshape(rows, in), projection.weight(), projection.bias(), output.reshape(rows, out));
    }
}
