package io.shadowkv.cache;

import io.shadowkv.tensor.DType;

/// The properties of a decoder that a cache depends on.
///
/// @param layers decoder layers
/// @param queryHeads query heads
/// @param kvHeads key-value heads
/// @param headDim elements per head
/// @param attentionScale factor of the dot products of queries and keys, usually 1/√headDim
/// @param kvType type of stored keys and values: F32, BF16 or F16
public record CacheShape(int layers, int queryHeads, int kvHeads, int headDim, double attentionScale, DType kvType) {
    /// A shape whose dot products are divided by √headDim.
    public CacheShape(int layers, int queryHeads, int kvHeads, int headDim, DType kvType) {
        this(layers, queryHeads, kvHeads, headDim, 1 / Math.sqrt(headDim), kvType);
    }

    /// Number of elements of all key-value heads of one token.
    public int kvWidth() {
        return kvHeads * headDim;
    }
}
