package io.shadowkv.cache.shadow;

import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.ShadowOperations;
import io.shadowkv.tensor.Tensor;

/// Values of all context tokens of one layer, in host memory: [kvHeads, indexedTokens, headDim], row t is token
/// t.
final class ValueStore {
    private final Tensor values;
    private final ShadowOperations shadow;

    ValueStore(ShadowLayout layout, Backend backend, MemoryScope scope) {
        this.values = scope.allocate(
                Backend.Place.HOST,
                layout.shape().kvType(),
                layout.shape().kvHeads(),
                layout.indexedTokens(),
                layout.shape().headDim());
        this.shadow = backend.operations().shadow();
    }

    Tensor values() {
        return values;
    }

    /// Takes `count` tokens from rows `row` on of `source`, as tokens `firstToken` on.
    void offload(Tensor source, int row, int count, int firstToken) {
        shadow.copyRows(source, row, count, values, firstToken);
    }
}
