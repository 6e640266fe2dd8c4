package io.shadowkv.cache;

/// Receives the chunks that decode steps select, for reports and research.
public interface SelectionListener {
    /// Called after the selection for one row in one layer.
    ///
    /// @param position position of the step's new token in its sequence
    /// @param missed for each key-value head, the numbers of the chunks fetched in this step; chunk
    ///     c starts at token c · chunkSize
    /// @param chosen for each key-value head, the numbers of all selected chunks, including the
    ///     fetched ones
    void selected(int layer, int slot, int position, int[][] missed, int[][] chosen);
}
