package io.shadowkv.cache.shadow;

import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.ShadowOperations;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.List;
import java.util.stream.IntStream;

/// The landmark (mean rotated key) and the number of every indexed unit of one layer.
///
/// The list of a key-value head contains the units of the prompt except that head's outliers,
/// followed by the units of later tokens.
final class Landmarks {
    private final Tensor means;
    private final Tensor unitIds;
    private final Tensor outliers;
    private final Backend backend;

    Landmarks(ShadowLayout layout, Backend backend, LayerMemory memory) {
        int heads = layout.shape().kvHeads();
        this.means = memory.allocate(
                layout.shape().kvType(),
                heads,
                layout.unitCapacity(),
                layout.shape().headDim());
        this.unitIds = memory.allocate(DType.I32, heads, layout.unitCapacity());
        this.outliers = memory.allocate(DType.I32, heads, layout.spec().outlierChunks());
        this.backend = backend;
    }

    /// `[kvHeads, unitCapacity, headDim]`.
    Tensor means() {
        return means;
    }

    /// I32 `[kvHeads, unitCapacity]`.
    Tensor unitIds() {
        return unitIds;
    }

    /// I32 `[kvHeads, outlierChunks]`, the numbers of the outliers, ascending.
    Tensor outliers() {
        return outliers;
    }

    /// All tensors, in a fixed order.
    List<Tensor> tensors() {
        return List.of(means, unitIds, outliers);
    }

    /// Keeps the landmarks of all units that are not outliers.
    ///
    /// @param all `[kvHeads, units, headDim]`
    /// @param others I32 `[kvHeads, kept]`, ascending
    void keep(Tensor all, Tensor others) {
        shadow().gatherUnits(all, others, 1, means, 0);
        int kept = others.extent(1);
        for (int head = 0; head < others.extent(0); head++) {
            backend.operations()
                    .dense()
                    .copy(others.row(head), unitIds.row(head).slice(0, kept));
        }
    }

    /// Adds the units of `fresh.units · unitTokens` consecutive tokens.
    ///
    /// @param keys rotated, `[kvHeads, capacity, headDim]`; the rows of the tokens begin at row
    ///     `rowUnit · unitTokens`
    /// @param at units listed so far
    /// @param fresh buffers for the new landmarks
    void append(Tensor keys, int rowUnit, int unitTokens, int at, Fresh fresh) {
        int count = fresh.means().extent(1);
        shadow().landmarks(keys, rowUnit, unitTokens, fresh.means(), fresh.minCosines());
        shadow().copyRows(fresh.means(), 0, count, means, at);
        for (int head = 0; head < means.extent(0); head++) {
            backend.operations().dense().copy(fresh.numbers(), unitIds.row(head).slice(at, count));
        }
    }

    private ShadowOperations shadow() {
        return backend.operations().shadow();
    }

    /// Buffers for the landmarks of new units before they are added to the list, reused by all
    /// layers.
    ///
    /// @param means `[kvHeads, units, headDim]`
    /// @param minCosines F32 `[kvHeads, units]`
    /// @param numbers I32 `[units]`, the numbers of the units
    record Fresh(Tensor means, Tensor minCosines, Tensor numbers) {
        int units() {
            return means.extent(1);
        }

        /// @param firstUnit number of the first new unit
        static Fresh allocate(ShadowLayout layout, Backend backend, MemoryScope scope, int firstUnit, int units) {
            int heads = layout.shape().kvHeads();
            Tensor means = scope.allocate(
                    layout.shape().kvType(), heads, units, layout.shape().headDim());
            Tensor minCosines = scope.allocate(DType.F32, heads, units);
            Tensor numbers = scope.allocate(DType.I32, units);
            backend.upload(IntStream.range(firstUnit, firstUnit + units).toArray(), numbers);
            return new Fresh(means, minCosines, numbers);
        }
    }
}
