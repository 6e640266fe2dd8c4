package io.shadowkv.cache.prefill;

/// In which order the rows of a layer must come.
///
/// @param block rows attend in groups that end at a multiple of this position, or at the last row
/// @param observed number of last rows whose queries decide for all rows: if it is not 0, all keys of
///     the layer and then these queries must be known before the first row attends
public record RowOrder(int block, int observed) {
    /// Any order.
    public static final RowOrder ANY = new RowOrder(1, 0);
}
