package io.shadowkv.cache.shadow.index;

import io.shadowkv.op.IndexedLayer.UnitIndex;
import io.shadowkv.tensor.Tensor;
import java.util.List;

/// The index of one layer of one sequence: an entry for each unit of a head's context except that
/// head's outliers, followed by the units of later tokens.
public sealed interface SelectionIndex permits LandmarkIndex, TokenCodeIndex {
    /// The index as the operations of a step see it.
    UnitIndex view();

    /// I32 `[kvHeads, outlierUnits]`, the numbers of the outliers, ascending.
    Tensor outliers();

    /// All tensors, in a fixed order.
    List<Tensor> tensors();

    /// Indexes a context and decides which of its units are outliers.
    ///
    /// @param keys rotated, `[kvHeads, capacity, headDim]`, row t belongs to token t
    /// @param buffers for all units of the context
    void build(Tensor keys, UnitBuffers buffers);

    /// Adds the units of consecutive tokens.
    ///
    /// @param keys rotated, `[kvHeads, capacity, headDim]`; the rows of the tokens begin at row
    ///     `rowUnit · unitTokens`
    /// @param at units in the index so far
    /// @param buffers for the new units
    void extend(Tensor keys, int rowUnit, int at, UnitBuffers buffers);

    /// Moves the entries to memory for more units.
    ///
    /// @param larger extents with that memory
    /// @param units number of units in the index
    void grow(IndexShape larger, LayerMemory memory, int units);
}
