package io.shadowkv.model;

import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import org.jspecify.annotations.Nullable;

/// A linear projection as the checkpoint stores it.
///
/// @param weight `[out, in]`
/// @param bias `[out]`, or null
record Projection(Weight weight, @Nullable Tensor bias) {
    /// Rows `from` to `from + count` (exclusive) as a projection of their own; splits fused
    /// matrices without a copy.
    Projection rows(int from, int count) {
        return new Projection(weight.slice(from, count), bias == null ? null : bias.slice(from, count));
    }
}
