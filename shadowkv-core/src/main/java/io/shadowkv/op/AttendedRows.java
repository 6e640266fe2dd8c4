package io.shadowkv.op;

import io.shadowkv.tensor.Tensor;

/// What attention reads of one sequence in one layer: rotated keys and values, valid from row 0; order is free.
///
/// @param keys `[kvHeads, capacity, headDim]`
/// @param values `[kvHeads, capacity, headDim]`
public record AttendedRows(Tensor keys, Tensor values) {}
