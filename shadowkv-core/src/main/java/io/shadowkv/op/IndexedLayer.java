package io.shadowkv.op;

import io.shadowkv.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// ShadowKV's state of one sequence in one layer, as the operations see it. U units are indexed. A
/// unit is `unitTokens` consecutive tokens. A step selects k units; C ≥ k units are resident at a
/// time.
///
/// @param unitTokens tokens of a unit: 8 for the paper's chunks, 1 for token-level selection
/// @param landmarks `[kvHeads, unitCapacity, headDim]`, row u is the landmark of the u-th indexed
///     unit
/// @param unitIds I32 `[kvHeads, unitCapacity]`, the chunk number of the u-th indexed unit: its
///     first token is `unitIds * unitTokens`
/// @param factor A, `[tokenCapacity, rank]`: row t belongs to the key of token t
/// @param basis B, `[rank, kvHeads * headDim]`, shared by all tokens; the columns of a head are
///     adjacent
/// @param storedValues `[kvHeads, tokenCapacity, headDim]`, values of all context tokens, in host or backend
///     memory; of the attended values' type, or quantised: I8, or F8E4M3
/// @param storedScales BF16 `[kvHeads, tokenCapacity]`, in backend memory: a quantised value is its
///     code times its row's scale; null if values are not quantised
/// @param attended the resident rows; the resident units' region starts at `firstRow`
/// @param firstRow row of slot 0 in `attended`; slot s starts at row `firstRow + s * unitTokens`
/// @param residentUnits I32 `[kvHeads, C]`, index of the unit in each slot, or -1
/// @param slotAges I32 `[kvHeads, C]`, steps since the unit in each slot was last selected, at most
///     255; decides which units are replaced
/// @param selectedSlots I32 `[kvHeads, k]`, the slots of the units that the last step selected,
///     ascending, padded with -1 if there were fewer units than k
/// @param missUnits I32 `[kvHeads, k]`, units that were selected but not resident; the first
///     `missCounts[h]` are valid
/// @param missSlots I32 `[kvHeads, k]`, the slot that each missing unit is loaded into
/// @param missCounts I32 `[kvHeads]`
/// @param counters I64 `[2]`, running totals of selected units and of misses over all heads
public record IndexedLayer(
        int unitTokens,
        Tensor landmarks,
        Tensor unitIds,
        Tensor factor,
        Tensor basis,
        Tensor storedValues,
        @Nullable Tensor storedScales,
        AttendedRows attended,
        int firstRow,
        Tensor residentUnits,
        Tensor slotAges,
        Tensor selectedSlots,
        Tensor missUnits,
        Tensor missSlots,
        Tensor missCounts,
        Tensor counters) {
    /// k, the number of units that a step selects.
    public int selectedUnits() {
        return selectedSlots.extent(1);
    }

    /// C, the number of units that are resident at a time.
    public int slots() {
        return residentUnits.extent(1);
    }
}
