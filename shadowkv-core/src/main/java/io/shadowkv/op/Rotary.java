package io.shadowkv.op;

import io.shadowkv.tensor.Tensor;

/// Cosines and sines of the rotary position encoding, and how pairs are laid out.
///
/// @param cosines F32 `[positions, rotaryDim / 2]`, multiplied by the attention scaling (yarn,
///     longrope)
/// @param sines F32, the same shape
/// @param rotaryDim leading elements of a head that rotate; the rest pass through
/// @param interleaved true if neighbours (0,1), (2,3) … form pairs; false if element i pairs with
///     i + rotaryDim/2
/// @param scaling factor that `cosines` and `sines` carry (1 without yarn or longrope); rotating back divides
///     by its square
public record Rotary(Tensor cosines, Tensor sines, int rotaryDim, boolean interleaved, double scaling) {
    /// Number of positions that the tables cover.
    public int positions() {
        return cosines.extent(0);
    }
}
