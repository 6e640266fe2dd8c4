package io.shadowkv.cache.shadow.index;

import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Buffers for units that are added to an index, reused by all layers. Owned by their scope.
public final class UnitBuffers {
    private final int units;
    private final @Nullable Tensor numbers;
    private final @Nullable Means means;
    private final @Nullable Tensor others;

    UnitBuffers(int units, @Nullable Tensor numbers, @Nullable Means means, @Nullable Tensor others) {
        this.units = units;
        this.numbers = numbers;
        this.means = means;
        this.others = others;
    }

    /// Buffers of an index that needs nothing but the numbers of the units.
    static UnitBuffers ofNumbers(Backend backend, MemoryScope scope, int firstUnit, int units) {
        return new UnitBuffers(units, numbers(backend, scope, firstUnit, units), null, null);
    }

    /// The landmarks of the units.
    ///
    /// @param landmarks `[kvHeads, units, headDim]`
    /// @param minCosines F32 `[kvHeads, units]`
    record Means(Tensor landmarks, Tensor minCosines) {}

    /// I32 `[units]`, the numbers of consecutive units.
    static Tensor numbers(Backend backend, MemoryScope scope, int firstUnit, int units) {
        Tensor numbers = scope.allocate(DType.I32, units);
        backend.upload(IntStream.range(firstUnit, firstUnit + units).toArray(), numbers);
        return numbers;
    }

    /// Copies the first `count` elements of the second axis for each head.
    ///
    /// @param source `[kvHeads, n, …]`
    /// @param target the same type, `[kvHeads, m, …]`
    static void copyHeads(Backend backend, Tensor source, Tensor target, int count) {
        for (int head = 0; head < source.extent(0); head++) {
            backend.operations()
                    .dense()
                    .copy(source.row(head).slice(0, count), target.row(head).slice(0, count));
        }
    }

    /// How many units the buffers are for.
    public int units() {
        return units;
    }

    Tensor numbers() {
        return Objects.requireNonNull(numbers, "these buffers have no numbers of units");
    }

    Means means() {
        return Objects.requireNonNull(means, "these buffers are not those of landmarks");
    }

    /// I32 `[kvHeads, units - outliers]`, the units that are not outliers.
    Tensor others() {
        return Objects.requireNonNull(others, "these buffers are not for building an index");
    }
}
