package io.shadowkv.cache.shadow;

import io.shadowkv.op.Backend;
import io.shadowkv.op.ShadowOperations;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Values of all context tokens of one layer, row t being token t: in host memory or in device memory, as they
/// are or quantised with a scale a row. Nothing else knows which.
final class ValueStore {
    private final Tensor values;
    private final @Nullable Tensor scales;
    private final ShadowOperations shadow;

    ValueStore(ShadowLayout layout, Backend.Place place, Backend backend, LayerMemory memory) {
        int heads = layout.shape().kvHeads();
        this.values = memory.scope()
                .allocate(
                        place,
                        layout.valueType(),
                        heads,
                        layout.indexedTokens(),
                        layout.shape().headDim());
        // Scales are read with every fetched row and are a 64th of the values: always in device memory.
        this.scales = layout.spec().values().isQuantised()
                ? memory.allocate(DType.BF16, heads, layout.indexedTokens())
                : null;
        this.shadow = backend.operations().shadow();
    }

    /// [kvHeads, indexedTokens, headDim], in the store's type.
    Tensor values() {
        return values;
    }

    /// BF16 [kvHeads, indexedTokens], or null where values are stored as they are.
    @Nullable
    Tensor scales() {
        return scales;
    }

    /// Takes `count` tokens from rows `row` on of `source`, as tokens `firstToken` on.
    void offload(Tensor source, int row, int count, int firstToken) {
        shadow.storeValues(source, row, count, values, scales, firstToken);
    }

    /// Everything kept, in a fixed order.
    List<Tensor> tensors() {
        Tensor held = scales;
        return held == null ? List.of(values) : List.of(values, held);
    }
}
