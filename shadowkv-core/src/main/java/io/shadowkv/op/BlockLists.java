package io.shadowkv.op;

import io.shadowkv.tensor.Tensor;

/// What [AttentionOperations#selectBlocks] writes: the key blocks that each block of rows reads, for
/// each key-value head.
///
/// @param blockTokens tokens of a row block and of a key block
/// @param starts I32 `[kvHeads, queryBlocks, any]`, the first key of each kept key block, ascending
/// @param counts I32 `[kvHeads, queryBlocks]`, number of key blocks in each list
/// @param work I64 `[1]`, increased by the kept key blocks before each row's own, summed over rows and
///     key-value heads
public record BlockLists(int blockTokens, Tensor starts, Tensor counts, Tensor work) {
    public int queryBlocks() {
        return counts.extent(1);
    }
}
