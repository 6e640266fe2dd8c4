package io.shadowkv.cache.prefill;

import io.shadowkv.cache.prefill.KeyLists.Kept;
import java.util.Arrays;

/// MInference's `block_sparse`: a row block reads the key blocks whose mean key its mean query
/// multiplies highest.
final class PooledBlocks {
    private static final int BLOCK = MinferenceAttention.BLOCK;
    private static final int MOST_BLOCKS = 100;

    private final float[] meanKeys;
    private final int headDim;
    private final int most;

    /// @param keys `[keyCount, headDim]`
    PooledBlocks(float[] keys, int keyCount, int headDim) {
        this.headDim = headDim;
        this.most = Math.min(MOST_BLOCKS, keyCount / BLOCK);
        this.meanKeys = new float[Math.ceilDiv(keyCount, BLOCK) * headDim];
        for (int j = 0; j < keyCount; j++) {
            for (int e = 0; e < headDim; e++) {
                meanKeys[j / BLOCK * headDim + e] += keys[j * headDim + e] / BLOCK;
            }
        }
    }

    /// @param query the mean query of the row block, or a multiple of it
    Kept of(int rowBlock, float[] query) {
        double[] scores = new double[rowBlock + 1];
        for (int j = 0; j <= rowBlock; j++) {
            for (int e = 0; e < headDim; e++) {
                scores[j] += query[e] * meanKeys[j * headDim + e];
            }
        }
        int[] chosen = VerticalSlash.highest(scores, Math.min(most, scores.length), 0);
        return Kept.blocks(Arrays.stream(chosen).map(j -> j * BLOCK).toArray());
    }
}
