package io.shadowkv.op;

import io.shadowkv.tensor.Tensor;

/// Exact attention, and the operations that store keys and values for it. Query head h reads
/// key-value head `h / groupSize`. Keys and values are F32, BF16 or F16; softmax and sums are
/// computed in float or wider.
public interface AttentionOperations {
    /// `target[h, at + i] = rows[i, h]` for all rows and heads: converts from token-major to
    /// head-major order.
    ///
    /// @param rows `[t, kvHeads, headDim]`
    /// @param target `[kvHeads, capacity, headDim]`, rounded to its type
    void store(Tensor rows, Tensor target, int at);

    /// Causal attention of t consecutive tokens of one sequence: query i reads keys 0 to
    /// `keyCount - t + i`, inclusive.
    ///
    /// @param queries `[t, queryHeads, headDim]`, rotated
    /// @param keys `[kvHeads, capacity, headDim]`, rotated; rows 0 (inclusive) to `keyCount`
    ///     (exclusive) are valid and include those of the t tokens
    /// @param values the same shape
    /// @param scale factor that multiplies the dot products, usually 1/√headDim
    /// @param out `[t, queryHeads, headDim]`
    void prefill(Tensor queries, Tensor keys, Tensor values, int keyCount, double scale, Tensor out);

    /// True if this backend has [#prefillSelected] and [#scoreBlocks]. Every backend has [#prefill].
    boolean hasSelectedPrefill();

    /// Causal attention of t consecutive tokens of one sequence to some of the keys. Every row must
    /// read at least one key.
    ///
    /// @param queries `[t, queryHeads, headDim]`, rotated
    /// @param keys `[kvHeads, capacity, headDim]`, rotated; all keys that are read are valid
    /// @param values the same shape
    /// @param firstToken position of the first row; key j has position j
    /// @param scale factor that multiplies the dot products
    /// @param out `[t, queryHeads, headDim]`
    void prefillSelected(
            Tensor queries,
            Tensor keys,
            Tensor values,
            int firstToken,
            SelectedKeys selected,
            double scale,
            Tensor out);

    /// Estimates how much each block of query rows attends to each earlier key block, from the mean
    /// keys of the blocks: `scores[h, b, J] = sum over the rows q of block b and the query heads of
    /// group h of exp(scale · q · means[h, J] - the largest such exponent of this row and head over all
    /// J ≤ f + b)`. Blocks of `blockTokens` rows are counted as in [SelectedKeys]; f is the block of
    /// the first row.
    ///
    /// @param queries `[t, queryHeads, headDim]`, rotated
    /// @param means F32 `[kvHeads, any, headDim]`; the first f + `queryBlocks` of each head are valid
    /// @param firstToken position of the first row
    /// @param scores F32 `[kvHeads, queryBlocks, any]`; elements J ≤ f + b of each row are written
    void scoreBlocks(Tensor queries, Tensor means, int blockTokens, int firstToken, double scale, Tensor scores);

    /// Writes one new key and one new value per row:
    /// `target(slot).row[h, writeRows[i]] = new[i, h]`.
    ///
    /// @param newKeys `[r, kvHeads, headDim]`, rotated
    /// @param newValues the same shape
    void append(Tensor newKeys, Tensor newValues, SlotTable<AttendedRows> attended, StepRows rows);

    /// Row i attends to the first `attended[i]` rows of its sequence's region.
    ///
    /// @param queries `[r, queryHeads, headDim]`, rotated
    /// @param out `[r, queryHeads, headDim]`
    void decode(Tensor queries, SlotTable<AttendedRows> attended, StepRows rows, double scale, Tensor out);

    /// Like [#decode], for sequences with an index, whose region may hold more units than a step
    /// selects. Row i attends to rows 0 to `firstRow` (exclusive), to the units in its
    /// `selectedSlots`, and to rows `firstRow + C · unitTokens`, the end of the region, to
    /// `attended[i]` (exclusive). Every row except padding must have an index.
    ///
    /// @param queries `[r, queryHeads, headDim]`, rotated
    /// @param out `[r, queryHeads, headDim]`
    void decodeSelected(Tensor queries, SlotTable<IndexedLayer> layers, StepRows rows, double scale, Tensor out);
}
