package io.shadowkv.op;

import io.shadowkv.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// What a decoder layer does to its rows outside attention. Activations are of the backend's activation type;
/// weights are BF16, F16 or F32 as the checkpoint stores them. r is the number of rows. Outputs may not overlap
/// inputs unless an operation says that it works in place.
public interface DenseOperations {
    /// `out[i] = table[ids[i]]`.
    ///
    /// @param ids I32 [r], each within the table
    /// @param table [vocabulary, hiddenSize]
    /// @param out [r, hiddenSize]
    void embed(Tensor ids, Tensor table, Tensor out);

    /// Root-mean-square norm, statistics in float or better: `out = x / sqrt(mean(x²) + epsilon) * weight`.
    ///
    /// @param x [r, n]
    /// @param weight [n]
    /// @param out [r, n]
    void rmsNorm(Tensor x, Tensor weight, double epsilon, Tensor out);

    /// `out = x · weightᵀ + bias`, sums in float or better. Memory-bound for few rows, compute-bound for many.
    ///
    /// @param x [r, in], activation type, or any floating type (keys in their storage type)
    /// @param weight [out, in]
    /// @param bias [out], or null
    /// @param out [r, out]; rounded to its type
    void linear(Tensor x, Tensor weight, @Nullable Tensor bias, Tensor out);

    /// `target += source`.
    ///
    /// @param target [r, n], in place
    /// @param source [r, n]
    void add(Tensor target, Tensor source);

    /// `gate = silu(gate) * up`, silu(x) = x / (1 + e^-x).
    ///
    /// @param gate [r, n], in place
    /// @param up [r, n]
    void gatedSilu(Tensor gate, Tensor up);

    /// Rotates the first `rotaryDim` elements of every head to its row's position.
    ///
    /// @param x [r, heads, headDim], in place
    /// @param positions I32 [r], each within `rotary`
    void rotate(Tensor x, Tensor positions, Rotary rotary);

    /// Copies elements in order, converting between floating types (round to nearest even), across places.
    ///
    /// @param source any shape
    /// @param target as many elements
    void copy(Tensor source, Tensor target);
}
