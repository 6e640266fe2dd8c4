package io.shadowkv.cache.shadow;

import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.ShadowOperations;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;

/// One mean rotated key for every indexed unit of one layer, and the unit's number.
///
/// Units of the prompt are listed per key-value head without that head's outliers; units of generated tokens
/// follow.
final class Landmarks {
    private final Tensor means;
    private final Tensor unitIds;
    private final Backend backend;

    Landmarks(ShadowLayout layout, Backend backend, MemoryScope scope) {
        int heads = layout.shape().kvHeads();
        this.means = scope.allocate(
                layout.shape().kvType(),
                heads,
                layout.unitCapacity(),
                layout.shape().headDim());
        this.unitIds = scope.allocate(DType.I32, heads, layout.unitCapacity());
        this.backend = backend;
    }

    /// [kvHeads, unitCapacity, headDim].
    Tensor means() {
        return means;
    }

    /// I32 [kvHeads, unitCapacity].
    Tensor unitIds() {
        return unitIds;
    }

    /// Keeps the landmarks of all units that are not outliers.
    ///
    /// @param all [kvHeads, units, headDim]
    /// @param others I32 [kvHeads, kept], ascending
    void keep(Tensor all, Tensor others) {
        shadow().gatherUnits(all, others, 1, means, 0);
        int kept = others.extent(1);
        for (int head = 0; head < others.extent(0); head++) {
            backend.upload(
                    backend.downloadInts(others.row(head)), unitIds.row(head).slice(0, kept));
        }
    }

    /// Adds the units of `count · unitTokens` consecutive tokens.
    ///
    /// @param keys rotated, [kvHeads, capacity, headDim]; the tokens' rows begin at unit `rowUnit` of its rows
    /// @param firstUnit number of the first new unit
    /// @param at units listed so far
    void append(Tensor keys, int rowUnit, int unitTokens, int firstUnit, int at, int count) {
        try (MemoryScope scratch = backend.newScope("landmarks of new chunks")) {
            int heads = means.extent(0);
            Tensor fresh = scratch.allocate(means.dtype(), heads, count, means.extent(2));
            shadow().landmarks(keys, rowUnit, unitTokens, fresh, scratch.allocate(DType.F32, heads, count));
            shadow().copyRows(fresh, 0, count, means, at);
            int[] numbers = java.util.stream.IntStream.range(firstUnit, firstUnit + count)
                    .toArray();
            for (int head = 0; head < heads; head++) {
                backend.upload(numbers, unitIds.row(head).slice(at, count));
            }
            backend.synchronize();
        }
    }

    private ShadowOperations shadow() {
        return backend.operations().shadow();
    }
}
