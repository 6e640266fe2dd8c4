package io.shadowkv.op;

import io.shadowkv.tensor.Tensor;

/// The rows that attention reads for one sequence in one layer: rotated keys and values, valid from
/// row 0 on, in any order.
///
/// @param keys `[kvHeads, capacity, headDim]`
/// @param values `[kvHeads, capacity, headDim]`
public record AttendedRows(Tensor keys, Tensor values) {}
