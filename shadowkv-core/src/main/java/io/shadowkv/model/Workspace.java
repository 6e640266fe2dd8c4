package io.shadowkv.model;

import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;

/// Activations of up to `rows` rows, reused by every layer and every group of prefill rows. Owned
/// by its scope.
///
/// @param normed `[rows, hiddenSize]`
/// @param queries `[rows, queryHeads, headDim]`
/// @param keys `[rows, kvHeads, headDim]`
/// @param values `[rows, kvHeads, headDim]`
/// @param attended `[rows, queryHeads, headDim]`
/// @param projected `[rows, hiddenSize]`
/// @param gate `[rows, intermediateSize]`
/// @param up `[rows, intermediateSize]`
/// @param positions I32 `[rows]`
record Workspace(
        Tensor normed,
        Tensor queries,
        Tensor keys,
        Tensor values,
        Tensor attended,
        Tensor projected,
        Tensor gate,
        Tensor up,
        Tensor positions) {
    /// @param type of activations
    static Workspace allocate(DecoderSpec spec, DType type, MemoryScope scope, int rows) {
        return new Workspace(
                scope.allocate(type, rows, spec.hiddenSize()),
                scope.allocate(type, rows, spec.queryHeads(), spec.headDim()),
                scope.allocate(type, rows, spec.kvHeads(), spec.headDim()),
                scope.allocate(type, rows, spec.kvHeads(), spec.headDim()),
                scope.allocate(type, rows, spec.queryHeads(), spec.headDim()),
                scope.allocate(type, rows, spec.hiddenSize()),
                scope.allocate(type, rows, spec.intermediateSize()),
                scope.allocate(type, rows, spec.intermediateSize()),
                scope.allocate(DType.I32, rows));
    }

    /// Bytes of the activations of `rows` rows.
    static long bytes(DecoderSpec spec, DType type, int rows) {
        long elements =
                2L * spec.hiddenSize() + 2L * spec.queryWidth() + 2L * spec.kvWidth() + 2L * spec.intermediateSize();
        return rows * (elements * type.bytes() + Integer.BYTES);
    }

    int rows() {
        return normed.extent(0);
    }

    /// The first `rows` rows of every buffer.
    Workspace first(int rows) {
        return slice(0, rows);
    }

    /// Rows `from` to `from + rows` (exclusive) of every buffer.
    Workspace slice(int from, int rows) {
        return new Workspace(
                normed.slice(from, rows),
                queries.slice(from, rows),
                keys.slice(from, rows),
                values.slice(from, rows),
                attended.slice(from, rows),
                projected.slice(from, rows),
                gate.slice(from, rows),
                up.slice(from, rows),
                positions.slice(from, rows));
    }
}
