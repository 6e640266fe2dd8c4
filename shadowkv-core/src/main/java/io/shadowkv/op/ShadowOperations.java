package io.shadowkv.op;

import io.shadowkv.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// The operations of ShadowKV (arXiv 2410.21465) at the end of prefill and in every decode step.
///
/// H key-value heads, d head dim, D = H·d, J tokens per unit. "Plain" keys are keys before RoPE,
/// "rotated" keys are keys after RoPE.
///
/// The operations of a decode step skip padding rows and rows with `units[i] == 0`: they read and
/// write nothing for such a row, and its slot may be empty. The sequences of a batch may differ in
/// capacity.
public interface ShadowOperations {
    /// `gram += keysᵀ · keys`.
    ///
    /// @param keys plain, `[t, D]`, storage type
    /// @param gram F32 `[D, D]`, in place
    void accumulateGram(Tensor keys, Tensor gram);

    /// Computes the `rank` eigenvectors with the largest eigenvalues of a symmetric positive
    /// semidefinite matrix, as orthonormal rows, largest eigenvalue first. They hold at least 99.9
    /// % of the energy that the exact eigenvectors hold. Rows beyond D, if any, are zero.
    ///
    /// @param gram F32 `[D, D]`, symmetric; may be overwritten
    /// @param basis `[rank, D]`, rounded to its type
    void topEigenvectors(Tensor gram, Tensor basis);

    /// Computes the mean of each unit's rotated keys, and how well it represents the key that is
    /// least similar to it.
    ///
    /// @param keys rotated, `[H, capacity, d]`
    /// @param firstUnit number of the first unit: its first token is row `(firstUnit) * J` of `keys`
    /// @param landmarks `[H, units, d]`
    /// @param minCosines F32 `[H, units]`, the smallest cosine between a key of the unit and the
    ///     (unrounded) mean; 0 for a zero vector
    void landmarks(Tensor keys, int firstUnit, int unitTokens, Tensor landmarks, Tensor minCosines);

    /// Separates, per head, the units with the smallest `minCosines` from all others, both in
    /// ascending order. Among equals, the lower unit is the outlier.
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

    /// The inverse of [#gatherUnits]: copies rows `sourceRow + i * unitTokens` and following of each
    /// head of `source` to unit `units[h, i]` of `target`.
    ///
    /// @param source `[H, sourceCapacity, d]`
    /// @param units I32 `[H, m]`, different units for each head
    /// @param target `[H, targetCapacity, d]`, rounded to its type
    void scatterUnits(Tensor source, int sourceRow, Tensor units, int unitTokens, Tensor target);

    /// Copies rows `from` to `from + count` (exclusive) of every head to `target`, from row `to`
    /// on. Source and target may be the same tensor if `to <= from`.
    ///
    /// @param source `[H, sourceCapacity, d]`
    /// @param target `[H, targetCapacity, d]`, rounded to its type
    void copyRows(Tensor source, int from, int count, Tensor target, int to);

    /// Computes plain keys from rows of rotated keys, in token-major order: the inverse of
    /// `store(rotate(...))`.
    ///
    /// @param keys rotated, `[H, capacity, d]`; rows `from` to `from + count` (exclusive) are read
    /// @param firstPosition position of row `from`; later rows have the following positions
    /// @param plain `[count, D]`
    void unrotate(Tensor keys, int from, int count, int firstPosition, Rotary rotary, Tensor plain);

    /// Computes the mean of the first `count` keys of each head, at least one.
    ///
    /// @param keys rotated, `[H, capacity, d]`
    /// @param means F32 `[H, d]`
    void meanKeys(Tensor keys, int count, Tensor means);

    /// Encodes keys in two bits a dimension; [io.shadowkv.op.host.KeyCodes] has the formula. An
    /// element that lies on the boundary of two codes up to rounding may get either.
    ///
    /// @param keys rotated, `[H, capacity, d]`, finite; rows `from` to `from + count` (exclusive) of
    ///     every head are read
    /// @param means F32 `[H, d]`, subtracted from the keys
    /// @param codes I32 `[H, blocks, words, 16]`, the codes of tokens `to` and following are written
    /// @param scales BF16 `[H, blocks * 16]`, likewise
    void encodeKeys(Tensor keys, int from, int count, Tensor means, Tensor codes, Tensor scales, int to);

    /// `scores[i, h, u] = max over the group's query heads of softmax over u of (query · key[h, u] *
    /// scale)`, where `key` is the landmark of a unit, or what the code of a token stands for.
    ///
    /// @param queries `[r, queryHeads, d]`, rotated
    /// @param scores F32 `[r, H, unitCapacity]`; the first `units[i]` of row i are written
    void scoreUnits(Tensor queries, SlotTable<IndexedLayer> layers, StepRows rows, double scale, Tensor scores);

    /// Selects, for each row and head, the k units with the highest scores (k = `selectedUnits`, or
    /// all units if there are fewer; among equals, the lower unit). Selected units that are already
    /// resident keep their slots (hits). Each of the others is assigned a slot (misses): free slots
    /// first, in ascending order, then the slots whose units were not selected for the longest time
    /// (largest age; among equals, the lower slot). Writes `missUnits`, `missSlots`, `missCounts`
    /// and `selectedSlots`, and updates `residentUnits`, `slotAges` (0 for a selected slot,
    /// otherwise incremented up to 255, free slots included) and `counters`. Which of the assigned
    /// slots each miss gets is unspecified (the reference assigns ascending units to ascending
    /// slots). If there are fewer units than k, the rest of `selectedSlots` is -1.
    ///
    /// @param scores F32 `[r, H, unitCapacity]`
    void select(Tensor scores, SlotTable<IndexedLayer> layers, StepRows rows);

    /// Overwrites scores so that about `hitRate` of the units chosen by the next [#select] are
    /// already resident and the rest are random other units. This synthetic selection serves to
    /// compare machines. It is identical on all backends and differs from step to step;
    /// `ForcedHits` has the formula.
    ///
    /// @param scores F32 `[r, H, unitCapacity]`, in place; the first `units[i]` of row i are
    ///     written; no score is read
    /// @param hitRate from 0 to 1
    void forceHits(Tensor scores, SlotTable<IndexedLayer> layers, StepRows rows, double hitRate);

    /// Stores the values of context tokens, quantised if `scales` is not null. [ValueCodes] has the
    /// formula; all backends produce the same bits.
    ///
    /// @param source `[H, sourceCapacity, d]`, finite; rows `from` to `from + count` (exclusive) of
    ///     every head are read
    /// @param values `[H, tokenCapacity, d]`, written from row `to` on; I8 or F8E4M3 with scales, else a floating
    ///     type that values are rounded to; host or backend memory
    /// @param scales BF16 `[H, tokenCapacity]`, written from row `to` on, in backend memory; null
    ///     if values are not quantised
    void storeValues(Tensor source, int from, int count, Tensor values, @Nullable Tensor scales, int to);

    /// Copies stored values back: the inverse of [#storeValues] for rows 0 to `count` (exclusive). A
    /// quantised value is its code times its scale, rounded once to the type of `target`.
    ///
    /// @param values `[H, tokenCapacity, d]` as [#storeValues] wrote them; host or backend memory
    /// @param scales BF16 `[H, tokenCapacity]`, or null if values are not quantised
    /// @param target `[H, targetCapacity, d]`, rows `to` to `to + count` (exclusive) are written
    void restoreValues(Tensor values, @Nullable Tensor scales, int count, Tensor target, int to);

    /// Computes the keys of tokens 0 to `count` (exclusive) from their low-rank form:
    /// `keys[h, t] = rotate(factor[t] · basis[:, head h], t)`, sums in float or wider.
    ///
    /// @param factor `[tokenCapacity, rank]`
    /// @param basis `[rank, H * d]`
    /// @param keys `[H, capacity, d]`, rounded once or twice to its type
    void restoreKeys(Tensor factor, Tensor basis, int count, Rotary rotary, Tensor keys);

    /// Copies the values of all misses from the store to their slots. A quantised value is its code
    /// times its scale, rounded once to the type of the attended values. May run on another queue
    /// at the same time as [#rebuildKeys]; completes before the next attention over these rows.
    void fetchValues(SlotTable<IndexedLayer> layers, StepRows rows);

    /// Rebuilds the keys of all misses in their slots:
    /// `rotate(factor[token] · basis[:, head], token's position)`, sums in float or wider, rounded
    /// once to the type of the attended keys. A token's position is its index in the sequence.
    void rebuildKeys(SlotTable<IndexedLayer> layers, StepRows rows, Rotary rotary);
}
