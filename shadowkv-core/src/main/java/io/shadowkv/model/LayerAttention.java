package io.shadowkv.model;

import io.shadowkv.tensor.Tensor;

/// What a layer's attention does with its rows: rotate them, hand keys and values to the cache, attend over
/// what the cache offers. Prefill and decode differ only here.
interface LayerAttention {
    /// @param queries [r, queryHeads, headDim], plain; rotated in place
    /// @param keys [r, kvHeads, headDim], plain; rotated in place
    /// @param values [r, kvHeads, headDim]
    /// @param out [r, queryHeads, headDim]
    void attend(int layer, Tensor queries, Tensor keys, Tensor values, Tensor out);
}
