package io.shadowkv.model;

import io.shadowkv.cache.LayerRotaries;
import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.model.spec.FeedForwardSpec;
import io.shadowkv.op.Backend;
import io.shadowkv.op.DenseOperations;
import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// The parts of a decoder layer around attention: norm and projection to queries, keys and values
/// before it; output projection, norm and gated MLP after it. Prefill and decode implement
/// attention differently.
///
/// A family may multiply what each layer adds to the residual stream by a factor s. Here the stream
/// is held divided by s instead: embeddings are divided once, and nothing else is multiplied. The
/// norms that read the stream take epsilon / s², which makes their results the same.
final class LayerForward {
    private final DecoderSpec spec;
    private final DecoderWeights weights;
    private final DenseOperations dense;
    private final double streamEpsilon;
    private final ExpertForward experts;

    LayerForward(DecoderSpec spec, DecoderWeights weights, Backend backend) {
        this.spec = spec;
        this.weights = weights;
        this.dense = backend.operations().dense();
        this.experts = new ExpertForward(backend);
        double residual = spec.scales().residual();
        this.streamEpsilon = spec.normEpsilon() / (residual * residual);
    }

    /// Computes queries, keys and values of some rows, before rotation.
    ///
    /// @param hidden the residual stream `[r, hiddenSize]`
    /// @param work buffers of exactly r rows
    void project(int layer, Tensor hidden, Workspace work) {
        DecoderWeights.Attention w = normed(layer, hidden, work);
        apply(w.queryKeyValue(), work.normed(), List.of(work.queries(), work.keys(), work.values()));
        normHeads(work.queries(), w.queryNorm());
        normHeads(work.keys(), w.keyNorm());
    }

    /// Computes the queries alone; they are those that [#project] computes.
    void projectQueries(int layer, Tensor hidden, Workspace work) {
        DecoderWeights.Attention w = normed(layer, hidden, work);
        apply(w.queryKeyValue().part(0, 1), work.normed(), List.of(work.queries()));
        normHeads(work.queries(), w.queryNorm());
    }

    /// Computes the keys and values alone; they are those that [#project] computes.
    void projectKeys(int layer, Tensor hidden, Workspace work) {
        DecoderWeights.Attention w = normed(layer, hidden, work);
        apply(w.queryKeyValue().part(1, 3), work.normed(), List.of(work.keys(), work.values()));
        normHeads(work.keys(), w.keyNorm());
    }

    private DecoderWeights.Attention normed(int layer, Tensor hidden, Workspace work) {
        DecoderWeights.Attention w = weights.layers().get(layer).attention();
        dense.rmsNorm(hidden, w.norm(), streamEpsilon, work.normed());
        return w;
    }

    /// Applies the positions of some rows to their queries and keys, if the layer's queries and keys
    /// depend on them.
    ///
    /// @param queries `[r, queryHeads, headDim]`, in place
    /// @param keys `[r, kvHeads, headDim]`, in place
    /// @param positions I32 `[r]`
    void rotate(int layer, Tensor queries, Tensor keys, Tensor positions, LayerRotaries rotary) {
        if (spec.layer(layer).rope() != null) {
            dense.rotate(queries, keys, positions, rotary.of(layer));
        }
        scaleQueries(queries, positions, rotary);
    }

    /// Applies the positions of some rows to their queries alone.
    void rotateQueries(int layer, Tensor queries, Tensor positions, LayerRotaries rotary) {
        if (spec.layer(layer).rope() != null) {
            dense.rotate(queries, positions, rotary.of(layer));
        }
        scaleQueries(queries, positions, rotary);
    }

    /// Applies the positions of some rows to their keys alone.
    void rotateKeys(int layer, Tensor keys, Tensor positions, LayerRotaries rotary) {
        if (spec.layer(layer).rope() != null) {
            dense.rotate(keys, positions, rotary.of(layer));
        }
    }

    private void scaleQueries(Tensor queries, Tensor positions, LayerRotaries rotary) {
        Tensor factors = rotary.queryFactors();
        if (factors != null) {
            dense.scaleRows(queries, positions, factors);
        }
    }

    /// Adds the contribution of `layer` to the residual stream: the projection of attention's
    /// output, and the MLP.
    ///
    /// @param hidden `[r, hiddenSize]`, in place
    /// @param work buffers of exactly r rows
    void complete(int layer, Tensor hidden, Workspace work) {
        DecoderWeights.Attention attention = weights.layers().get(layer).attention();
        add(attention.output(), work.attended(), attention.outputNorm(), work, hidden);

        DecoderWeights.FeedForward w = weights.layers().get(layer).feedForward();
        dense.rmsNorm(hidden, w.norm(), streamEpsilon, work.normed());
        switch (spec.layer(layer).feedForward()) {
            case FeedForwardSpec.Gated gated -> {
                DecoderWeights.Mlp mlp = w.mlps().getFirst();
                Tensor gate = work.gate(gated.intermediateSize());
                dense.gatedLinear(
                        work.normed(),
                        mlp.gateUp().weights(),
                        mlp.gateUp().biases(),
                        gate,
                        work.up(gated.intermediateSize()));
                add(mlp.down(), gate, w.outputNorm(), work, hidden);
            }
            case FeedForwardSpec.Experts experts -> this.experts.add(experts, w, work, hidden);
        }
    }

    /// Bytes of the matrices of the first layer that a number of tokens reads together, as they are
    /// stored.
    double layerBytes(int tokens) {
        return bytes(0, tokens);
    }

    /// Bytes of the matrices that a number of tokens reads together in a step: those of the layers and
    /// the head. Of experts, those that are expected to be chosen.
    double stepBytes(int tokens) {
        double layers = IntStream.range(0, weights.layers().size())
                .mapToDouble(layer -> bytes(layer, tokens))
                .sum();
        return layers + weights.head().byteSize();
    }

    private double bytes(int layer, int tokens) {
        DecoderWeights.Attention attention = weights.layers().get(layer).attention();
        DecoderWeights.FeedForward feedForward = weights.layers().get(layer).feedForward();
        DecoderWeights.Mlp mlp = feedForward.mlps().getFirst();
        long ofMlp = bytes(mlp.gateUp().weights()) + mlp.down().weight().byteSize();
        long ofRouter =
                feedForward.router() == null ? 0 : feedForward.router().weight().byteSize();
        return bytes(attention.queryKeyValue().weights())
                + attention.output().weight().byteSize()
                + ofRouter
                + spec.layer(layer).feedForward().mlpsRead(tokens) * ofMlp;
    }

    private static long bytes(List<? extends Weight> matrices) {
        return matrices.stream().mapToLong(Weight::byteSize).sum();
    }

    /// Computes the logits of some rows: the final norm and the output projection.
    ///
    /// @param hidden `[r, hiddenSize]`
    /// @param normed scratch, the same shape
    /// @param logits `[r, vocabulary]`
    void head(Tensor hidden, Tensor normed, Tensor logits) {
        dense.rmsNorm(hidden, weights.finalNorm(), streamEpsilon, normed);
        dense.linear(normed, weights.head(), null, logits);
        scale(logits, 1 / spec.scales().logits());
    }

    void embed(Tensor ids, Tensor hidden) {
        dense.embed(ids, weights.embedding(), hidden);
        scale(hidden, spec.scales().embedding() / spec.scales().residual());
    }

    private void scale(Tensor x, double factor) {
        if (factor != 1) {
            dense.scale(x, factor);
        }
    }

    private void apply(ProjectionGroup group, Tensor input, List<Tensor> outputs) {
        List<Tensor> flat = outputs.stream().map(LayerForward::flat).toList();
        dense.linears(input, group.weights(), group.biases(), flat);
    }

    /// Adds a projection to `target`, normed first if there is a norm.
    private void add(Projection projection, Tensor input, @Nullable Tensor norm, Workspace work, Tensor target) {
        if (norm == null) {
            dense.addLinear(flat(input), projection.weight(), projection.bias(), work.projected(), target);
            return;
        }
        dense.linear(flat(input), projection.weight(), projection.bias(), work.projected());
        dense.rmsNorm(work.projected(), norm, spec.normEpsilon(), work.normed());
        dense.add(target, work.normed());
    }

    /// Norms each head by itself, in place.
    private void normHeads(Tensor heads, @Nullable Tensor weight) {
        if (weight == null) {
            return;
        }
        Tensor rows = heads.reshape(heads.extent(0) * heads.extent(1), heads.extent(2));
        dense.rmsNorm(rows, weight, spec.normEpsilon(), rows);
    }

    /// Merges the heads of each row into one axis.
    private static Tensor flat(Tensor rows) {
        int count = rows.extent(0);
        return rows.reshape(count, Math.toIntExact(rows.elements() / count));
    }
}
