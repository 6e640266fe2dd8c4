package io.shadowkv.cache;

import io.shadowkv.op.Backend.Place;

/// What one layer of a sequence has selected and fetched.
///
/// @param selected units selected since prefill, over all key-value heads
/// @param missed those that were not resident, so that their values were fetched
/// @param from where the values are fetched from
/// @param unitBytes bytes of the values of one unit of one head
/// @param unitTokens tokens of a unit
/// @param latest for each key-value head, the numbers of the units that the latest step fetched; unit
///     u begins at token u · unitTokens
public record LayerFetches(long selected, long missed, Place from, long unitBytes, int unitTokens, int[][] latest) {
    /// Bytes of values that were fetched since prefill.
    public long bytes() {
        return missed * unitBytes;
    }
}
