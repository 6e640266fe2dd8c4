package io.shadowkv.model;

import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.model.spec.FeedForwardSpec;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import org.jspecify.annotations.Nullable;

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
/// @param routing buffers of layers with experts; null if no layer has them
record Workspace(
        Tensor normed,
        Tensor queries,
        Tensor keys,
        Tensor values,
        Tensor attended,
        Tensor projected,
        Tensor gate,
        Tensor up,
        Tensor positions,
        @Nullable Routing routing) {
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
                scope.allocate(DType.I32, rows),
                Routing.allocate(spec, type, scope, rows));
    }

    /// Bytes of the activations of `rows` rows.
    static long bytes(DecoderSpec spec, DType type, int rows) {
        long elements =
                2L * spec.hiddenSize() + 2L * spec.queryWidth() + 2L * spec.kvWidth() + 2L * spec.intermediateSize();
        return rows * (elements * type.bytes() + Integer.BYTES + Routing.rowBytes(spec, type));
    }

    /// The first elements of `gate` as rows of `width`, for layers of different widths.
    Tensor gate(int width) {
        return narrowed(gate, width);
    }

    /// The first elements of `up` as rows of `width`.
    Tensor up(int width) {
        return narrowed(up, width);
    }

    private static Tensor narrowed(Tensor tensor, int width) {
        if (tensor.extent(1) == width) {
            return tensor;
        }
        int rows = tensor.extent(0);
        return tensor.reshape(Math.toIntExact(tensor.elements()))
                .slice(0, rows * width)
                .reshape(rows, width);
    }

    /// Buffers of layers with experts, for up to k experts per token.
    ///
    /// @param gathered `[rows, hiddenSize]`, input of one expert
    /// @param output F32 `[rows, hiddenSize]`, output of one expert
    /// @param sum F32 `[rows, hiddenSize]`, the residual stream and the outputs so far
    /// @param logits F32 `[rows, experts]`
    /// @param experts I32 `[rows, k]`, chosen experts
    /// @param shares F32 `[rows, k]`, their shares
    /// @param rows I32 `[rows, k]`, rows of the choices, sorted by expert
    /// @param places I32 `[rows, k]`, places of the choices, sorted by expert
    record Routing(
            Tensor gathered,
            Tensor output,
            Tensor sum,
            Tensor logits,
            Tensor experts,
            Tensor shares,
            Tensor rows,
            Tensor places) {
        static @Nullable Routing allocate(DecoderSpec spec, DType type, MemoryScope scope, int rows) {
            FeedForwardSpec.Experts experts = spec.experts();
            return experts == null
                    ? null
                    : new Routing(
                            scope.allocate(type, rows, spec.hiddenSize()),
                            scope.allocate(DType.F32, rows, spec.hiddenSize()),
                            scope.allocate(DType.F32, rows, spec.hiddenSize()),
                            scope.allocate(DType.F32, rows, experts.count()),
                            scope.allocate(DType.I32, rows, experts.perToken()),
                            scope.allocate(DType.F32, rows, experts.perToken()),
                            scope.allocate(DType.I32, rows, experts.perToken()),
                            scope.allocate(DType.I32, rows, experts.perToken()));
        }

        static long rowBytes(DecoderSpec spec, DType type) {
            FeedForwardSpec.Experts experts = spec.experts();
            return experts == null
                    ? 0
                    : (long) spec.hiddenSize() * (type.bytes() + 2 * Float.BYTES)
                            + (experts.count() + 4L * experts.perToken()) * Integer.BYTES;
        }

        Routing slice(int from, int count) {
            return new Routing(
                    gathered.slice(from, count),
                    output.slice(from, count),
                    sum.slice(from, count),
                    logits.slice(from, count),
                    experts.slice(from, count),
                    shares.slice(from, count),
                    rows.slice(from, count),
                    places.slice(from, count));
        }
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
                positions.slice(from, rows),
                routing == null ? null : routing.slice(from, rows));
    }
}
