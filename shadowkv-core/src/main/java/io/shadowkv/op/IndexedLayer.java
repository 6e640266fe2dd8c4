package io.shadowkv.op;

import io.shadowkv.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// ShadowKV's state of one sequence in one layer, as operations see it. U units are indexed; a unit is
/// `unitTokens` consecutive tokens; a step selects k of them; C ≥ k units are resident at a time.
///
/// @param unitTokens tokens of a unit: 8 for the paper's chunks, 1 for token-level selection
/// @param landmarks `[kvHeads, unitCapacity, headDim]`, row u stands for the u-th indexed unit
/// @param unitIds I32 `[kvHeads, unitCapacity]`, the chunk number of the u-th indexed unit: its tokens are
///     `unitIds * unitTokens` and the following
/// @param factor A, `[tokenCapacity, rank]`: row t gives the key of token t
/// @param basis B, `[rank, kvHeads * headDim]`, shared by all tokens, columns split by head
/// @param storedValues `[kvHeads, tokenCapacity, headDim]`, values of all context tokens, in host or backend
///     memory; of the attended values' type, or quantised: I8, or F8E4M3
/// @param storedScales BF16 `[kvHeads, tokenCapacity]`, in backend memory: a quantised value is its code times its
///     row's scale; null where values are stored as they are
/// @param attended the resident rows; the resident units' region starts at `firstRow`
/// @param firstRow row of slot 0 in `attended`; slot s holds rows `firstRow + s * unitTokens` and the following
/// @param residentUnits I32 `[kvHeads, C]`, index of the unit in each slot, or -1
/// @param slotAges I32 `[kvHeads, C]`, steps since the unit in each slot was last selected, at most 255; says which
///     ones make room
/// @param selectedSlots I32 `[kvHeads, k]`, the slots of the units that the last step selected, ascending, then -1
///     where there were fewer units than k
/// @param missUnits I32 `[kvHeads, k]`, units selected but not resident, first `missCounts[h]` valid
/// @param missSlots I32 `[kvHeads, k]`, the slot each missing unit is to fill
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
    /// k, units selected by a step.
    public int selectedUnits() {
        return selectedSlots.extent(1);
    }

    /// C, units resident at a time.
    public int slots() {
        return residentUnits.extent(1);
    }
}
