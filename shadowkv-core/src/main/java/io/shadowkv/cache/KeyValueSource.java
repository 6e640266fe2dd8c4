package io.shadowkv.cache;

import io.shadowkv.op.Rotary;
import io.shadowkv.tensor.Tensor;

/// All keys and values of a sequence, row t of every head being token t.
public interface KeyValueSource {
    /// Rotated, `[kvHeads, capacity, headDim]`.
    Tensor keys(int layer);

    /// `[kvHeads, capacity, headDim]`.
    Tensor values(int layer);

    /// Tables the keys are rotated by.
    Rotary rotary();
}
