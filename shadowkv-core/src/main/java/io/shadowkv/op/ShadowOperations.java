package io.shadowkv.op;

import io.shadowkv.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// What ShadowKV (arXiv 2410.21465) does at the end of prefill and at every decode step.
///
/// H key-value heads, d head dim, D = H·d, J tokens a unit. "Plain" keys are before RoPE, "rotated" after.
///
/// The operations of a decode step pass over rows with `units[i] == 0` and over padding rows: nothing of theirs is
/// read or written, and their slot need not hold a layer. A sequence's layers may differ in capacity from those of
/// others in the batch.
public interface ShadowOperations {
    /// `gram += keysᵀ · keys`.
    ///
    /// @param keys plain, `[t, D]`, storage type
    /// @param gram F32 `[D, D]`, in place
    void accumulateGram(Tensor keys, Tensor gram);

    /// The `rank` eigenvectors of largest eigenvalue of a symmetric non-negative matrix, as rows, orthonormal,
    /// largest first; at least 99.9 % of the energy that the exact ones hold. Rows beyond D, if any, are zero.
    ///
    /// @param gram F32 `[D, D]`, symmetric; may be overwritten
    /// @param basis `[rank, D]`, rounded to its type
    void topEigenvectors(Tensor gram, Tensor basis);

    /// Mean of each unit's rotated keys, and how badly it represents its worst member.
    ///
    /// @param keys rotated, `[H, capacity, d]`
    /// @param firstUnit number of the first unit: its first token is row `(firstUnit) * J` of `keys`
    /// @param landmarks `[H, units, d]`
    /// @param minCosines F32 `[H, units]`, the least cosine between a member and the (unrounded) mean; a zero
    ///     vector's is 0
    void landmarks(Tensor keys, int firstUnit, int unitTokens, Tensor landmarks, Tensor minCosines);

    /// The units of least `minCosines` per head, and all others; both ascending. Ties go to the lower unit.
    ///
    /// @param minCosines F32 `[H, units]`
    /// @param outliers I32 `[H, o]`
    /// @param others I32 `[H, units - o]`
    void splitOutliers(Tensor minCosines, Tensor outliers, Tensor others);

    /// Copies whole units of each head: unit `units[h, i]` of `source` to rows `targetRow + i * unitTokens` of
    /// `target`.
    ///
    /// @param source `[H, sourceCapacity, d]`
    /// @param units I32 `[H, m]`
    /// @param target `[H, targetCapacity, d]`, rounded to its type
    void gatherUnits(Tensor source, Tensor units, int unitTokens, Tensor target, int targetRow);

    /// Copies rows `from` until `from + count` of every head to `target` at `to`. Source and target may be the
    /// same tensor if `to <= from`.
    ///
    /// @param source `[H, sourceCapacity, d]`
    /// @param target `[H, targetCapacity, d]`, rounded to its type
    void copyRows(Tensor source, int from, int count, Tensor target, int to);

    /// Takes rows of rotated keys back to before RoPE, token-major: the inverse of `store(rotate(...))`.
    ///
    /// @param keys rotated, `[H, capacity, d]`; rows `from` until `from + count` are read
    /// @param firstPosition position of row `from`; the others follow
    /// @param plain `[count, D]`
    void unrotate(Tensor keys, int from, int count, int firstPosition, Rotary rotary, Tensor plain);

    /// `scores[i, h, u] = max over the group's query heads of softmax over u of (query · landmark[h, u] *
    /// scale)`.
    ///
    /// @param queries `[r, queryHeads, d]`, rotated
    /// @param scores F32 `[r, H, unitCapacity]`; the first `units[i]` of row i are written
    void scoreLandmarks(Tensor queries, SlotTable<IndexedLayer> layers, StepRows rows, double scale, Tensor scores);

    /// Chooses, for each row and head, the k units of highest score (k = `selectedUnits`, or all units if there are
    /// fewer; ties to the lower unit). Those already resident keep their slots (hits); every other one gets a slot
    /// (misses): the free ones first, lowest first, then those whose units were not selected for the longest time
    /// (largest age; lower slots first among equals). Writes `missUnits`, `missSlots`, `missCounts`,
    /// `selectedSlots`, updates `residentUnits`, `slotAges` (0 for what is selected, else one more, at most 255;
    /// free slots too) and `counters`. Which miss gets which of these slots is open (the reference: ascending units
    /// to ascending slots). With fewer units than k, the rest of `selectedSlots` holds -1.
    ///
    /// @param scores F32 `[r, H, unitCapacity]`
    void select(Tensor scores, SlotTable<IndexedLayer> layers, StepRows rows);

    /// Overwrites scores so that the next [#select] keeps about `hitRate` of what it selects resident and takes the
    /// rest at random from the other units: a synthetic selection, for comparing machines. Exactly the same on all
    /// backends, and another one at every step; `ForcedHits` is the formula.
    ///
    /// @param scores F32 `[r, H, unitCapacity]`, in place; the first `units[i]` of row i are written, none is read
    /// @param hitRate from 0 to 1
    void forceHits(Tensor scores, SlotTable<IndexedLayer> layers, StepRows rows, double hitRate);

    /// Stores values of context tokens: as they are, or quantised where `scales` are given; [ValueCodes] is the
    /// formula, the same to the bit on all backends.
    ///
    /// @param source `[H, sourceCapacity, d]`, finite; rows `from` until `from + count` of every head are read
    /// @param values `[H, tokenCapacity, d]`, written from row `to` on; I8 or F8E4M3 with scales, else a floating
    ///     type that values are rounded to; host or backend memory
    /// @param scales BF16 `[H, tokenCapacity]`, written from row `to` on, in backend memory; null where values are
    ///     stored as they are
    void storeValues(Tensor source, int from, int count, Tensor values, @Nullable Tensor scales, int to);

    /// Copies the values of all misses from the store to their slots, quantised ones as code times scale, rounded
    /// once to the type of the attended values. May run beside [#rebuildKeys] on another queue; joined before the
    /// next attention over these rows.
    void fetchValues(SlotTable<IndexedLayer> layers, StepRows rows);

    /// Rebuilds the keys of all misses in their slots: `rotate(factor[token] · basis[:, head], token's
    /// position)`, sums in float or better, rounded once to the type of the attended keys. A token's position
    /// is its number.
    void rebuildKeys(SlotTable<IndexedLayer> layers, StepRows rows, Rotary rotary);
}
