package io.shadowkv.op;

import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The operations of a decoder layer outside attention. Activations are of the backend's activation
/// type. Weights are BF16, F16 or F32, or quantised ([Weight]) in the form that
/// [Backend#placeQuantised] returns; products decode them. For many rows, a backend may round the
/// decoded weights to the type of the activations. r is the number of rows. Outputs must not
/// overlap inputs unless an operation is documented to work in place.
public interface DenseOperations {
    /// `out[i] = table[ids[i]]`.
    ///
    /// @param ids I32 `[r]`, each within the table
    /// @param table `[vocabulary, hiddenSize]`
    /// @param out `[r, hiddenSize]`
    void embed(Tensor ids, Weight table, Tensor out);

    /// Root-mean-square norm, statistics in float or wider:
    /// `out = x / sqrt(mean(x²) + epsilon) * weight`.
    ///
    /// @param x `[r, n]`
    /// @param weight `[n]`
    /// @param out `[r, n]`; may be `x` itself
    void rmsNorm(Tensor x, Tensor weight, double epsilon, Tensor out);

    /// `out = x · weightᵀ + bias`, sums in float or wider. Memory-bound for few rows, compute-bound
    /// for many.
    ///
    /// @param x `[r, in]`, activation type, or any floating type (keys in their storage type)
    /// @param weight `[out, in]`
    /// @param bias `[out]`, or null
    /// @param out `[r, out]`; rounded to its type
    void linear(Tensor x, Weight weight, @Nullable Tensor bias, Tensor out);

    /// Several projections of the same rows: `outs[i] = x · weights[i]ᵀ + biases[i]`. A backend may
    /// read weights that are adjacent in memory as one matrix.
    ///
    /// @param biases one entry per weight, each possibly null
    default void linears(Tensor x, List<? extends Weight> weights, List<@Nullable Tensor> biases, List<Tensor> outs) {
        for (int i = 0; i < weights.size(); i++) {
            linear(x, weights.get(i), biases.get(i), outs.get(i));
        }
    }

    /// `target += x · weightᵀ + bias`, rounded once or twice.
    ///
    /// @param scratch same shape and type as `target`; may be overwritten
    /// @param target `[r, out]`, in place
    default void addLinear(Tensor x, Weight weight, @Nullable Tensor bias, Tensor scratch, Tensor target) {
        linear(x, weight, bias, scratch);
        add(target, scratch);
    }

    /// Index of each row's largest logit; the lowest index if several are equal; -1 for a row that
    /// contains a NaN or whose largest logit is not finite.
    ///
    /// @param logits `[r, vocabulary]`
    /// @param ids I32 `[r]`
    void argmax(Tensor logits, Tensor ids);

    /// Fills a tensor with normally distributed numbers that depend only on `seed` and the
    /// element's index. Element i is `deviation · sqrt(-2 ln u) · cos(2πv)`, in double, rounded
    /// once; u and v are the upper and lower half of the i-th output (from 0) of SplitMix64 seeded
    /// with `seed`, each half h taken as `(h + 0.5) / 2³²`. Used for random weights of a known
    /// shape.
    void fillNormal(Tensor target, long seed, double deviation);

    /// `target += source`.
    ///
    /// @param target `[r, n]`, in place
    /// @param source `[r, n]`
    void add(Tensor target, Tensor source);

    /// `x *= factor`, in float or wider.
    ///
    /// @param x any shape, in place
    void scale(Tensor x, double factor);

    /// `x[i] *= factors[at[i]]`, in float or wider.
    ///
    /// @param x `[r, …]`, in place
    /// @param at I32 `[r]`, each within `factors`
    /// @param factors F32 `[any]`
    void scaleRows(Tensor x, Tensor at, Tensor factors);

    /// `target[at[i]] += source[i]`.
    ///
    /// @param target `[any, n]`, in place
    /// @param at I32 `[r]`, all different
    /// @param source `[r, n]`
    void addRows(Tensor target, Tensor at, Tensor source);

    /// Chooses the experts of each row: the softmax over all experts gives each a share, and the k
    /// largest are chosen, in descending order; of equal logits the lower number comes first. A row
    /// with a NaN gets k different valid numbers and shares that are NaN.
    ///
    /// @param logits F32 `[r, experts]`
    /// @param isNormalised true divides the chosen shares by their sum
    /// @param ids I32 `[r, k]`, k at most the number of experts
    /// @param shares F32 `[r, k]`
    void chooseExperts(Tensor logits, boolean isNormalised, Tensor ids, Tensor shares);

    /// `gate = silu(gate) * up`, silu(x) = x / (1 + e^-x).
    ///
    /// @param gate `[r, n]`, in place
    /// @param up `[r, n]`
    void gatedSilu(Tensor gate, Tensor up);

    /// `gate = silu(x · weights[0]ᵀ + biases[0]) * (x · weights[1]ᵀ +
    /// biases[1])`; the two products may or may not be rounded before they are multiplied.
    ///
    /// @param weights two of `[n, in]`
    /// @param biases two of `[n]`, each possibly null
    /// @param gate `[r, n]`
    /// @param up scratch, same shape and type as `gate`; may be overwritten
    default void gatedLinear(
            Tensor x, List<? extends Weight> weights, List<@Nullable Tensor> biases, Tensor gate, Tensor up) {
        linears(x, weights, biases, List.of(gate, up));
        gatedSilu(gate, up);
    }

    /// Rotates the first `rotaryDim` elements of every head to its row's position.
    ///
    /// @param x `[r, heads, headDim]`, in place
    /// @param positions I32 `[r]`, each within `rotary`
    void rotate(Tensor x, Tensor positions, Rotary rotary);

    /// Rotates the queries and the keys of the same rows.
    ///
    /// @param queries `[r, queryHeads, headDim]`, in place
    /// @param keys `[r, kvHeads, headDim]`, in place
    default void rotate(Tensor queries, Tensor keys, Tensor positions, Rotary rotary) {
        rotate(queries, positions, rotary);
        rotate(keys, positions, rotary);
    }

    /// Copies elements in order, also between device and host memory, and converts between F32,
    /// BF16 and F16 (round to nearest even). If both types are the same, any type can be copied,
    /// without conversion.
    ///
    /// @param source any shape
    /// @param target any shape with as many elements
    void copy(Tensor source, Tensor target);
}
