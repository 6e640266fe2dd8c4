package io.shadowkv.op;

import io.shadowkv.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a decoder layer does to its rows outside attention. Activations are of the backend's activation type;
/// weights are BF16, F16 or F32 as the checkpoint stores them. r is the number of rows. Outputs may not overlap
/// inputs unless an operation says that it works in place.
public interface DenseOperations {
    /// `out[i] = table[ids[i]]`.
    ///
    /// @param ids I32 `[r]`, each within the table
    /// @param table `[vocabulary, hiddenSize]`
    /// @param out `[r, hiddenSize]`
    void embed(Tensor ids, Tensor table, Tensor out);

    /// Root-mean-square norm, statistics in float or better: `out = x / sqrt(mean(x²) + epsilon) * weight`.
    ///
    /// @param x `[r, n]`
    /// @param weight `[n]`
    /// @param out `[r, n]`
    void rmsNorm(Tensor x, Tensor weight, double epsilon, Tensor out);

    /// `out = x · weightᵀ + bias`, sums in float or better. Memory-bound for few rows, compute-bound for many.
    ///
    /// @param x `[r, in]`, activation type, or any floating type (keys in their storage type)
    /// @param weight `[out, in]`
    /// @param bias `[out]`, or null
    /// @param out `[r, out]`; rounded to its type
    void linear(Tensor x, Tensor weight, @Nullable Tensor bias, Tensor out);

    /// Several projections of the same rows: `outs[i] = x · weights[i]ᵀ + biases[i]`. Weights that lie one
    /// after the other in memory may be read as one matrix.
    ///
    /// @param biases one entry a weight, each possibly null
    default void linears(Tensor x, List<Tensor> weights, List<@Nullable Tensor> biases, List<Tensor> outs) {
        for (int i = 0; i < weights.size(); i++) {
            linear(x, weights.get(i), biases.get(i), outs.get(i));
        }
    }

    /// `target += x · weightᵀ + bias`, rounded once or twice.
    ///
    /// @param scratch as `target`; may be overwritten
    /// @param target `[r, out]`, in place
    default void addLinear(Tensor x, Tensor weight, @Nullable Tensor bias, Tensor scratch, Tensor target) {
        linear(x, weight, bias, scratch);
        add(target, scratch);
    }

    /// Index of each row's largest logit, the first of equals; -1 for a row that has a NaN or whose largest logit
    /// is not finite.
    ///
    /// @param logits `[r, vocabulary]`
    /// @param ids I32 `[r]`
    void argmax(Tensor logits, Tensor ids);

    /// Fills a tensor with normally distributed numbers that depend on `seed` and the element's place only: element
    /// i is `deviation · sqrt(-2 ln u) · cos(2πv)`, in double, rounded once; u and v come from the upper and lower
    /// half of the i-th output (from 0) of SplitMix64 seeded with `seed`, each half h as `(h + 0.5) / 2³²`. For
    /// weights of a known shape.
    void fillNormal(Tensor target, long seed, double deviation);

    /// `target += source`.
    ///
    /// @param target `[r, n]`, in place
    /// @param source `[r, n]`
    void add(Tensor target, Tensor source);

    /// `gate = silu(gate) * up`, silu(x) = x / (1 + e^-x).
    ///
    /// @param gate `[r, n]`, in place
    /// @param up `[r, n]`
    void gatedSilu(Tensor gate, Tensor up);

    /// `gate = silu(x · weights[0]ᵀ + biases[0]) * (x · weights[1]ᵀ + biases[1])`; the products may
    /// be rounded before they meet, or not.
    ///
    /// @param weights two of `[n, in]`
    /// @param biases two of `[n]`, each possibly null
    /// @param gate `[r, n]`
    /// @param up scratch as `gate`; may be overwritten
    default void gatedLinear(Tensor x, List<Tensor> weights, List<@Nullable Tensor> biases, Tensor gate, Tensor up) {
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

    /// Copies elements in order, converting between F32, BF16 and F16 (round to nearest even), across places.
    /// Elements of any type are copied as they are where both types are the same.
    ///
    /// @param source any shape
    /// @param target as many elements
    void copy(Tensor source, Tensor target);
}
