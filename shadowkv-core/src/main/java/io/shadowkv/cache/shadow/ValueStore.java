package io.shadowkv.cache.shadow;

import io.shadowkv.op.Backend;
import io.shadowkv.op.IndexedLayer.StoredValues;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.ShadowOperations;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The values of all context tokens of one layer, in extents of consecutive tokens. Hides whether
/// they lie in host or device memory and whether they are quantised, with one scale per row.
final class ValueStore {
    private final ShadowOperations shadow;
    private final Backend.Place place;
    private final long unitBytes;
    private final List<StoredValues.Extent> extents = new ArrayList<>();

    /// @param device owner of what lies in device memory
    /// @param host owner of values in host memory
    /// @param held the store of a parked sequence, whose values in host memory are kept; null
    ///     for a new sequence
    ValueStore(
            ShadowLayout layout,
            Backend.Place place,
            Backend backend,
            MemoryScope device,
            MemoryScope host,
            @Nullable ValueStore held) {
        this.shadow = backend.operations().shadow();
        this.place = place;
        this.unitBytes = (long) layout.spec().unitTokens()
                * layout.shape().headDim()
                * layout.valueType().bytes();
        grow(layout, device, host, held);
    }

    /// Allocates the extents that the layout has and this store has not.
    void grow(ShadowLayout layout, MemoryScope device, MemoryScope host) {
        grow(layout, device, host, null);
    }

    private void grow(ShadowLayout layout, MemoryScope device, MemoryScope host, @Nullable ValueStore held) {
        int heads = layout.shape().kvHeads();
        List<Integer> tokens = layout.valueExtents();
        boolean isQuantised = layout.spec().values().isQuantised();
        for (int i = extents.size(); i < tokens.size(); i++) {
            int count = tokens.get(i);
            Tensor values = held != null && place == Backend.Place.HOST && i < held.extents.size()
                    ? held.extents.get(i).values()
                    : (place == Backend.Place.HOST ? host : device)
                            .allocate(
                                    place,
                                    layout.valueType(),
                                    heads,
                                    count,
                                    layout.shape().headDim());
            // Every fetched row needs its scale, and scales take a 64th of the bytes of the values,
            // so they always lie in device memory.
            Tensor scales = isQuantised ? device.allocate(DType.BF16, heads, count) : null;
            extents.add(new StoredValues.Extent(values, scales));
        }
    }

    /// The values as the operations of a step see them.
    StoredValues stored() {
        return new StoredValues(extents.getFirst(), extents.subList(1, extents.size()));
    }

    /// Where the values lie.
    Backend.Place place() {
        return place;
    }

    /// Bytes of the values of one unit of one head.
    long unitBytes() {
        return unitBytes;
    }

    /// Stores `count` tokens, starting at row `row` of `source`, as tokens `firstToken` and
    /// following.
    void offload(Tensor source, int row, int count, int firstToken) {
        int extentStart = 0;
        for (StoredValues.Extent extent : extents) {
            int from = Math.max(firstToken, extentStart);
            int to = Math.min(firstToken + count, extentStart + extent.tokens());
            if (from < to) {
                shadow.storeValues(
                        source,
                        row + from - firstToken,
                        to - from,
                        extent.values(),
                        extent.scales(),
                        from - extentStart);
            }
            extentStart += extent.tokens();
        }
    }

    /// Copies the values of tokens 0 to `count` (exclusive) to the rows of `target`.
    void restore(int count, Tensor target) {
        int extentStart = 0;
        for (StoredValues.Extent extent : extents) {
            int tokens = Math.min(count - extentStart, extent.tokens());
            if (tokens > 0) {
                shadow.restoreValues(extent.values(), extent.scales(), tokens, target, extentStart);
            }
            extentStart += extent.tokens();
        }
    }

    /// All tensors, in a fixed order.
    List<Tensor> tensors() {
        return extents.stream()
                .flatMap(extent -> Stream.of(extent.values(), extent.scales()))
                .filter(Objects::nonNull)
                .toList();
    }

    /// The tensors in device memory, in a fixed order.
    List<Tensor> deviceTensors() {
        return place == Backend.Place.DEVICE
                ? tensors()
                : extents.stream()
                        .map(StoredValues.Extent::scales)
                        .filter(Objects::nonNull)
                        .toList();
    }
}
