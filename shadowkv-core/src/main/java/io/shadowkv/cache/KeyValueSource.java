package io.shadowkv.cache;

import io.shadowkv.tensor.Tensor;

/// All keys and values of a sequence. Row t of every head belongs to token t.
public interface KeyValueSource {
    /// Rotated keys, `[kvHeads, capacity, headDim]`.
    Tensor keys(int layer);

    /// `[kvHeads, capacity, headDim]`.
    Tensor values(int layer);

    /// The tables that the keys were rotated with.
    LayerRotaries rotary();
}
