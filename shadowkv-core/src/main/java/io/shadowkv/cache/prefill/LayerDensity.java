package io.shadowkv.cache.prefill;

/// How much of a layer's attention was computed while a prompt was read.
///
/// @param computed pairs of a row and a key that were computed, over all query heads
/// @param causal pairs that exact attention computes
public record LayerDensity(long computed, long causal) {
    /// The share that was computed; 1 if there was nothing to compute.
    public double share() {
        return causal == 0 ? 1 : (double) computed / causal;
    }
}
