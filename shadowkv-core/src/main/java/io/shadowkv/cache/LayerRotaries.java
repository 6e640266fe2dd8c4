package io.shadowkv.cache;

import io.shadowkv.op.Rotary;
import io.shadowkv.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The position tables of a sequence: the rotary table of each layer, and the factors of queries.
/// Two are equal only if they are the same object, so that sequences with equal tables share a wave.
public final class LayerRotaries {
    private final List<Rotary> layers;
    private final @Nullable Tensor queryFactors;

    /// @param layers a table per layer, all of the same number of positions; that of a layer without
    ///     rotation turns by zero angles
    /// @param queryFactors F32 `[positions]`, factor of the queries at each position; null if they
    ///     have none
    public LayerRotaries(List<Rotary> layers, @Nullable Tensor queryFactors) {
        this.layers = List.copyOf(layers);
        this.queryFactors = queryFactors;
    }

    public Rotary of(int layer) {
        return layers.get(layer);
    }

    /// Factor of the queries at each position, or null.
    public @Nullable Tensor queryFactors() {
        return queryFactors;
    }

    /// Number of positions that the tables cover.
    public int positions() {
        return layers.getFirst().positions();
    }
}
