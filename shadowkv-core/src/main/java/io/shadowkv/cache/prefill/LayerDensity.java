package io.shadowkv.cache.prefill;

import java.util.List;
import java.util.OptionalDouble;

/// How much of a layer's attention was computed while a prompt was read.
///
/// @param computed pairs of a row and a key that were computed, over all query heads
/// @param causal pairs that exact attention computes
/// @param keptMass share of exact attention's weights that the computed pairs hold, the mean over
///     sampled rows and query heads; empty if it was not measured
public record LayerDensity(long computed, long causal, OptionalDouble keptMass) {
    public LayerDensity(long computed, long causal) {
        this(computed, causal, OptionalDouble.empty());
    }

    /// All layers together. The kept mass is the mean of the layers that have one.
    public static LayerDensity sum(List<LayerDensity> layers) {
        return new LayerDensity(
                layers.stream().mapToLong(LayerDensity::computed).sum(),
                layers.stream().mapToLong(LayerDensity::causal).sum(),
                layers.stream()
                        .flatMapToDouble(layer -> layer.keptMass.stream())
                        .average());
    }

    /// The share that was computed; 1 if there was nothing to compute.
    public double share() {
        return causal == 0 ? 1 : (double) computed / causal;
    }
}
