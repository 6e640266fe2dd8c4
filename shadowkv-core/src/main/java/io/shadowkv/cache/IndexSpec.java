package io.shadowkv.cache;

import io.shadowkv.op.IndexedLayer;
import io.shadowkv.tensor.DType;

/// What ShadowKV compares with the queries of a step to select units.
public sealed interface IndexSpec {
    /// Short name as the command line spells it.
    String name();

    /// Consecutive tokens that are selected together.
    int unitTokens();

    /// Units per key-value head that the index represents badly; their keys and values stay resident
    /// unchanged.
    int outlierUnits();

    /// Bytes of one unit of one head that a step reads.
    ///
    /// @param kvType type of keys and values in device memory
    long entryBytes(int headDim, DType kvType);

    /// The paper's index: the mean rotated key of each chunk, in the type of the keys.
    ///
    /// @param chunkSize tokens of a chunk
    /// @param outlierChunks chunks per key-value head whose keys are least similar to their landmark
    record Landmarks(int chunkSize, int outlierChunks) implements IndexSpec {
        public Landmarks {
            Limits.atLeast("chunk size", chunkSize, 1);
            Limits.atLeast("outlier chunks", outlierChunks, 0);
        }

        @Override
        public String name() {
            return "landmarks";
        }

        @Override
        public int unitTokens() {
            return chunkSize;
        }

        @Override
        public int outlierUnits() {
            return outlierChunks;
        }

        @Override
        public long entryBytes(int headDim, DType kvType) {
            return (long) headDim * kvType.bytes();
        }
    }

    /// The key of each token in two bits a dimension and one scale; a unit is one token. There are no
    /// outliers: every token has an entry of its own.
    record TokenCodes() implements IndexSpec {
        @Override
        public String name() {
            return "codes";
        }

        @Override
        public int unitTokens() {
            return 1;
        }

        @Override
        public int outlierUnits() {
            return 0;
        }

        @Override
        public long entryBytes(int headDim, DType kvType) {
            return (long) IndexedLayer.TokenCodes.words(headDim) * DType.I32.bytes() + DType.BF16.bytes();
        }
    }
}
