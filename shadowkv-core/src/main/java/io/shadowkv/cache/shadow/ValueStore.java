package io.shadowkv.cache.shadow;

import io.shadowkv.cache.shadow.index.LayerMemory;
import io.shadowkv.op.Backend;
import io.shadowkv.op.ShadowOperations;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The values of all context tokens of one layer; row t belongs to token t. Hides whether they lie
/// in host or device memory and whether they are quantised, with one scale per row.
final class ValueStore {
    private final Tensor values;
    private final @Nullable Tensor scales;
    private final ShadowOperations shadow;
    private final Backend.Place place;
    private final long unitBytes;

    ValueStore(ShadowLayout layout, Backend.Place place, Backend backend, LayerMemory memory) {
        int heads = layout.shape().kvHeads();
        this.values = memory.scope()
                .allocate(
                        place,
                        layout.valueType(),
                        heads,
                        layout.indexedTokens(),
                        layout.shape().headDim());
        // Every fetched row needs its scale, and scales take a 64th of the bytes of the values, so
        // they always lie in device memory.
        this.scales = layout.spec().values().isQuantised()
                ? memory.allocate(DType.BF16, heads, layout.indexedTokens())
                : null;
        this.shadow = backend.operations().shadow();
        this.place = place;
        this.unitBytes = (long) layout.spec().unitTokens()
                * layout.shape().headDim()
                * layout.valueType().bytes();
    }

    /// `[kvHeads, indexedTokens, headDim]`, in the store's type.
    Tensor values() {
        return values;
    }

    /// BF16 `[kvHeads, indexedTokens]`, or null if values are not quantised.
    @Nullable
    Tensor scales() {
        return scales;
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
        shadow.storeValues(source, row, count, values, scales, firstToken);
    }

    /// Copies the values of tokens 0 to `count` (exclusive) to the rows of `target`.
    void restore(int count, Tensor target) {
        shadow.restoreValues(values, scales, count, target);
    }

    /// All tensors, in a fixed order.
    List<Tensor> tensors() {
        Tensor held = scales;
        return held == null ? List.of(values) : List.of(values, held);
    }
}
