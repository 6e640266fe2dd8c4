package io.shadowkv.model;

import io.shadowkv.model.spec.FeedForwardSpec;
import io.shadowkv.op.Backend;
import io.shadowkv.op.DenseOperations;
import io.shadowkv.tensor.Tensor;

/// A mixture of experts: the router chooses experts for each row, rows are grouped by expert, and each
/// expert computes its rows together with the products of a plain MLP. The groups depend on data, so
/// the host reads the choices back: a step of such a model is not recorded.
///
/// Outputs are weighed and summed in F32, and rounded once, together with the residual stream: as
/// llama.cpp sums, and transformers 5 (grouped products; its older loop rounds after each expert).
final class ExpertForward {
    private final Backend backend;
    private final DenseOperations dense;

    ExpertForward(Backend backend) {
        this.backend = backend;
        this.dense = backend.operations().dense();
    }

    /// Adds the experts' outputs to `hidden`.
    ///
    /// @param work buffers of as many rows as `hidden`; `normed` is the input
    void add(FeedForwardSpec.Experts spec, DecoderWeights.FeedForward weights, Workspace work, Tensor hidden) {
        Projection router = weights.router();
        Workspace.Routing routing = work.routing();
        if (router == null || routing == null) {
            throw new IllegalStateException("a layer with experts has no router or no buffers for one");
        }
        dense.linear(work.normed(), router.weight(), router.bias(), routing.logits());
        dense.chooseExperts(routing.logits(), spec.isNormalised(), routing.experts(), routing.shares());
        int[] first = group(backend.downloadInts(routing.experts()), spec, routing);
        Tensor shares =
                routing.shares().reshape(Math.toIntExact(routing.shares().elements()));
        dense.copy(hidden, routing.sum());
        for (int expert = 0; expert < spec.count(); expert++) {
            int count = first[expert + 1] - first[expert];
            if (count > 0) {
                Tensor rows = flat(routing.rows()).slice(first[expert], count);
                Tensor places = flat(routing.places()).slice(first[expert], count);
                Tensor output = output(weights.mlps().get(expert), spec, rows, work, routing);
                dense.scaleRows(output, places, shares);
                dense.addRows(routing.sum(), rows, output);
            }
        }
        dense.copy(routing.sum(), hidden);
    }

    /// One expert's output for some rows of the input.
    private Tensor output(
            DecoderWeights.Mlp mlp,
            FeedForwardSpec.Experts spec,
            Tensor rows,
            Workspace work,
            Workspace.Routing routing) {
        int count = rows.extent(0);
        Tensor input = routing.gathered().slice(0, count);
        dense.embed(rows, work.normed(), input);
        Tensor gate = work.first(count).gate(spec.intermediateSize());
        Tensor up = work.first(count).up(spec.intermediateSize());
        dense.gatedLinear(input, mlp.gateUp().weights(), mlp.gateUp().biases(), gate, up);
        Tensor output = routing.output().slice(0, count);
        dense.linear(gate, mlp.down().weight(), mlp.down().bias(), output);
        return output;
    }

    /// Sorts the choices by expert and uploads, for each, its row and its place among the choices.
    ///
    /// @param chosen experts of all rows
    /// @return first choice of each expert, and their number as the last element
    private int[] group(int[] chosen, FeedForwardSpec.Experts spec, Workspace.Routing routing) {
        int[] first = new int[spec.count() + 1];
        for (int expert : chosen) {
            first[expert + 1]++;
        }
        for (int expert = 0; expert < spec.count(); expert++) {
            first[expert + 1] += first[expert];
        }
        int[] next = first.clone();
        int[] rows = new int[chosen.length];
        int[] places = new int[chosen.length];
        for (int place = 0; place < chosen.length; place++) {
            int at = next[chosen[place]]++;
            rows[at] = place / spec.perToken();
            places[at] = place;
        }
        backend.upload(rows, flat(routing.rows()));
        backend.upload(places, flat(routing.places()));
        return first;
    }

    private static Tensor flat(Tensor tensor) {
        return tensor.reshape(Math.toIntExact(tensor.elements()));
    }
}
