package io.shadowkv.cache;

import io.shadowkv.tensor.DType;

/// What a cache needs to know of a decoder.
///
/// @param layers decoder layers
/// @param queryHeads query heads
/// @param kvHeads key-value heads
/// @param headDim elements of a head
/// @param kvType type of stored keys and values: F32, BF16 or F16
public record CacheShape(int layers, int queryHeads, int kvHeads, int headDim, DType kvType) {
    /// Elements of all key-value heads of a token.
    public int kvWidth() {
        return kvHeads * headDim;
    }
}
