package io.shadowkv.cache.shadow;

import io.shadowkv.cache.shadow.index.LayerMemory;
import io.shadowkv.op.MemoryScope;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

/// The memory of a sequence's layers; layers of the same extents share allocations.
final class LayerMemories {
    private final ShadowLayout layout;
    private final Map<LayerLayout, LayerMemory> memories = new HashMap<>();

    LayerMemories(ShadowLayout layout, MemoryScope scope) {
        this.layout = layout;
        Map<LayerLayout, Integer> counts = new HashMap<>();
        for (int layer = 0; layer < layout.shape().layers(); layer++) {
            counts.merge(layout.layer(layer), 1, Integer::sum);
        }
        counts.forEach((rows, layers) -> memories.put(rows, new LayerMemory(scope, layers)));
    }

    /// The memory of a layer. Layers ask in ascending order, and each ends with [LayerMemory#nextLayer].
    LayerMemory of(int layer) {
        return Objects.requireNonNull(memories.get(layout.layer(layer)));
    }
}
