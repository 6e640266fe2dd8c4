package io.shadowkv.op;

import io.shadowkv.tensor.Tensor;

/// ShadowKV's state of one sequence in one layer, as operations see it. U units are indexed; a unit is
/// `unitTokens` consecutive tokens; k units are resident at a time.
///
/// @param unitTokens tokens of a unit: 8 for the paper's chunks, 1 for token-level selection
/// @param landmarks [kvHeads, unitCapacity, headDim], row u stands for the u-th indexed unit
/// @param unitIds I32 [kvHeads, unitCapacity], the chunk number of the u-th indexed unit: its tokens are
///     `unitIds * unitTokens` and the following
/// @param factor A, [tokenCapacity, rank]: row t gives the key of token t
/// @param basis B, [rank, kvHeads * headDim], shared by all tokens, columns split by head
/// @param storedValues [kvHeads, tokenCapacity, headDim], values of all context tokens, in host memory
/// @param attended the resident rows; the selected units' region starts at `firstRow`
/// @param firstRow row of slot 0 in `attended`; slot s holds rows `firstRow + s * unitTokens` and the following
/// @param residentUnits I32 [kvHeads, k], index of the unit in each slot, or -1
/// @param missUnits I32 [kvHeads, k], units selected but not resident, first `missCounts[h]` valid
/// @param missSlots I32 [kvHeads, k], the slot each missing unit is to fill
/// @param missCounts I32 [kvHeads]
/// @param counters I64 [2], running totals of selected units and of misses over all heads
public record IndexedLayer(
        int unitTokens,
        Tensor landmarks,
        Tensor unitIds,
        Tensor factor,
        Tensor basis,
        Tensor storedValues,
        AttendedRows attended,
        int firstRow,
        Tensor residentUnits,
        Tensor missUnits,
        Tensor missSlots,
        Tensor missCounts,
        Tensor counters) {}
