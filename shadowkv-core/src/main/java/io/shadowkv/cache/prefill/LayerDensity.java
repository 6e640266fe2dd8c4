package io.shadowkv.cache.prefill;

import java.util.List;

/// How much of a layer's attention was computed while a prompt was read.
///
/// @param computed pairs of a row and a key that were computed, over all query heads
/// @param causal pairs that exact attention computes
public record LayerDensity(long computed, long causal) {
    /// All layers together.
    public static LayerDensity sum(List<LayerDensity> layers) {
        return new LayerDensity(
                layers.stream().mapToLong(LayerDensity::computed).sum(),
                layers.stream().mapToLong(LayerDensity::causal).sum());
    }

    /// The share that was computed; 1 if there was nothing to compute.
    public double share() {
        return causal == 0 ? 1 : (double) computed / causal;
    }
}
