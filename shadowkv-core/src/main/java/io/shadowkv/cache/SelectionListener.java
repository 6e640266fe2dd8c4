package io.shadowkv.cache;

/// Hears which chunks the decode steps select, for reports and research.
public interface SelectionListener {
    /// One row of one layer selected.
    ///
    /// @param position position of the step's new token in its sequence
    /// @param missed for each key-value head, numbers of the chunks fetched in this step; chunk c holds tokens
    ///     c · chunkSize and the following
    /// @param chosen for each key-value head, numbers of all selected chunks, the fetched ones included
    void selected(int layer, int slot, int position, int[][] missed, int[][] chosen);
}
