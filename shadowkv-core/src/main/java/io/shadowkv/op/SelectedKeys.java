package io.shadowkv.op;

import io.shadowkv.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// The keys that prefill attends to, for each block of query rows. A row reads the keys of its
/// block's key blocks and its block's columns, as far as they are not after the row, and no others.
///
/// Query block b holds the rows of positions `B · (f + b)` to `B · (f + b + 1)` (exclusive), where B
/// is `blockTokens` and f the block of the first row. Lists are per query block and head; heads are
/// either the key-value heads, so that all query heads of a group read the same keys, or the query
/// heads.
///
/// @param blockTokens tokens of a query block and of a key block
/// @param blockStarts I32 `[heads, queryBlocks, any]`, the first key of each key block, ascending;
///     blocks do not overlap and may begin at any key
/// @param blockCounts I32 `[heads, queryBlocks]`, number of key blocks in each list
/// @param columns I32 `[heads, queryBlocks, any]`, single keys outside the key blocks
/// @param columnCounts I32 `[heads, queryBlocks]`, number of columns in each list
/// @param bands I32 `[heads, 2]`, a limit inside key blocks: row i reads key j of a block only if
///     `j < bands[h, 0]` or `j > i - bands[h, 1]`. Columns are not limited
/// @param means stands for key blocks that are not read; null if they count nothing
public record SelectedKeys(
        int blockTokens,
        Tensor blockStarts,
        Tensor blockCounts,
        Tensor columns,
        Tensor columnCounts,
        Tensor bands,
        @Nullable BlockMeans means) {
    /// Second number of a band that hides nothing.
    public static final int NO_BAND = Integer.MAX_VALUE;

    /// Number of heads that have lists of their own.
    public int heads() {
        return blockCounts.extent(0);
    }

    public int queryBlocks() {
        return blockCounts.extent(1);
    }

    /// Means of whole key blocks of the grid: block J holds keys `B · J` to `B · (J + 1)`. A grid block
    /// that lies before a query block and is not in its list counts as B keys that all equal the
    /// block's mean key, with the block's mean value. All blocks in lists are blocks of the grid then.
    ///
    /// @param keys F32 `[kvHeads, any, headDim]`
    /// @param values the same shape
    public record BlockMeans(Tensor keys, Tensor values) {}
}
