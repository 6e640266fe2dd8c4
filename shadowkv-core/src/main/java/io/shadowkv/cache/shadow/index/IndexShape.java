package io.shadowkv.cache.shadow.index;

import io.shadowkv.cache.CacheShape;
import io.shadowkv.cache.IndexSpec;
import io.shadowkv.op.Backend;
import io.shadowkv.op.IndexedLayer.TokenCodes;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;

/// The extents of the index of one layer, and the bytes that follow from them.
///
/// @param unitCapacity maximum number of units in the index, not counting outliers
public record IndexShape(IndexSpec spec, CacheShape cache, int unitCapacity) {
    /// Bytes of the entries that a step scores.
    public long entryBytes() {
        long entries = switch (spec) {
            case IndexSpec.Landmarks _ -> unitCapacity;
            case IndexSpec.TokenCodes _ -> (long) TokenCodes.blocks(unitCapacity) * TokenCodes.BLOCK_TOKENS;
        };
        return cache.kvHeads() * entries * spec.entryBytes(cache.headDim(), cache.kvType());
    }

    /// Bytes of what the index has in addition to its entries: the numbers of units and outliers, and
    /// the mean keys of codes.
    public long tableBytes() {
        long numbers = cache.kvHeads() * ((long) unitCapacity + spec.outlierUnits()) * DType.I32.bytes();
        return switch (spec) {
            case IndexSpec.Landmarks _ -> numbers;
            case IndexSpec.TokenCodes _ -> numbers + (long) cache.kvWidth() * DType.F32.bytes();
        };
    }

    /// Bytes of what [SelectionIndex#grow] moves.
    public long growingBytes() {
        return entryBytes() + cache.kvHeads() * (long) unitCapacity * DType.I32.bytes();
    }

    /// Allocates an empty index.
    ///
    /// @param memory memory of what does not grow
    /// @param growing memory of the entries; the same as `memory` if the index does not grow
    public SelectionIndex allocate(Backend backend, LayerMemory memory, LayerMemory growing) {
        return switch (spec) {
            case IndexSpec.Landmarks landmarks -> new LandmarkIndex(this, landmarks, backend, memory, growing);
            case IndexSpec.TokenCodes _ -> new TokenCodeIndex(this, backend, memory, growing);
        };
    }

    /// Buffers to build the index of a context of `units` units, outliers included.
    public UnitBuffers buildBuffers(Backend backend, MemoryScope scope, int units) {
        return switch (spec) {
            case IndexSpec.Landmarks landmarks ->
                LandmarkIndex.buildBuffers(cache, scope, units, landmarks.outlierChunks());
            case IndexSpec.TokenCodes _ -> UnitBuffers.ofNumbers(backend, scope, 0, units);
        };
    }

    /// Upper bound of the bytes of [#buildBuffers].
    public long buildBytes(int units) {
        return switch (spec) {
            case IndexSpec.Landmarks _ -> LandmarkIndex.buildBytes(cache, units);
            case IndexSpec.TokenCodes _ -> (long) units * DType.I32.bytes();
        };
    }

    /// Buffers to add `units` units to the index.
    ///
    /// @param firstUnit number of the first new unit
    public UnitBuffers extendBuffers(Backend backend, MemoryScope scope, int firstUnit, int units) {
        return switch (spec) {
            case IndexSpec.Landmarks _ -> LandmarkIndex.extendBuffers(cache, backend, scope, firstUnit, units);
            case IndexSpec.TokenCodes _ -> UnitBuffers.ofNumbers(backend, scope, firstUnit, units);
        };
    }
}
