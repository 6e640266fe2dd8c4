package io.shadowkv.cache.shadow;

import io.shadowkv.cache.CacheShape;
import io.shadowkv.cache.CacheStrategy.Allocation;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.SequenceSize;
import io.shadowkv.op.Backend.Place;
import io.shadowkv.tensor.DType;
import java.util.ArrayList;
import java.util.List;

/// The extents of everything that one sequence stores, computed from the spec, the decoder's shape
/// and the sequence's size.
///
/// The rows of the resident region are `outliers | cached units | recent`; the units that a step
/// selects are among the cached ones. While a sequence fits the region, it is "whole": row t
/// belongs to token t.
///
/// @param recentTokens maximum number of recent tokens: those of the spec, or more in a fork, which
///     never adds tokens to the index that it shares
record ShadowLayout(KvCacheSpec.Shadow spec, CacheShape shape, SequenceSize size, int recentTokens) {
    ShadowLayout(KvCacheSpec.Shadow spec, CacheShape shape, SequenceSize size) {
        this(spec, shape, size, spec.recentTokens());
    }

    /// The layout of a fork, which shares the index.
    ///
    /// @param recent maximum number of its recent tokens
    ShadowLayout forked(int capacity, int recent) {
        return new ShadowLayout(spec, shape, new SequenceSize(capacity, size.deviceValueLayers()), recent);
    }

    /// Maximum number of tokens of the sequence.
    int capacity() {
        return size.capacityTokens();
    }

    /// True if the sequence can never outgrow the resident region, so that it needs no index.
    boolean isAlwaysWhole() {
        return capacity() <= recentRow() + recentTokens;
    }

    /// Rows of the resident region per key-value head.
    int residentRows() {
        return Math.min(capacity(), recentRow() + recentTokens);
    }

    /// First row of the cached units; the rows of the outliers precede it.
    int cachedRow() {
        return spec.outlierChunks() * spec.chunkSize();
    }

    /// First row of the recent tokens.
    int recentRow() {
        return cachedRow() + spec.cachedTokens();
    }

    /// Columns of the key factorisation.
    int rank() {
        return Math.min(spec.rank(), shape.kvWidth());
    }

    /// Maximum number of units in the index, not counting outliers.
    int unitCapacity() {
        return capacity() / spec.chunkSize() - spec.outlierChunks();
    }

    /// Maximum number of indexed tokens, counting outliers: the rows of the key factor and of the
    /// value store.
    int indexedTokens() {
        return capacity() / spec.chunkSize() * spec.chunkSize();
    }

    /// Units of a context of `tokens` tokens: all except the local tokens and the remainder of a
    /// unit.
    int contextUnits(int tokens) {
        return tokens / spec.chunkSize() - spec.localTokens() / spec.chunkSize();
    }

    /// Type of stored values.
    DType valueType() {
        return spec.values().type(shape.kvType());
    }

    /// Where the stored values of `layer` lie.
    Place valuePlace(int layer) {
        return layer < size.deviceValueLayers() ? Place.DEVICE : Place.HOST;
    }

    /// The memory of all layers as a list of allocations.
    List<Allocation> parts() {
        long kv = shape.kvType().bytes();
        List<Allocation> parts = new ArrayList<>();
        add(parts, "resident keys and values", 2L * shape.kvWidth() * residentRows() * kv, shape.layers());
        if (isAlwaysWhole()) {
            return parts;
        }
        add(parts, "landmarks", (long) shape.kvWidth() * unitCapacity() * kv, shape.layers());
        add(parts, "low-rank keys", ((long) indexedTokens() + shape.kvWidth()) * rank() * kv, shape.layers());
        add(parts, "selection tables", tableBytes(), shape.layers());
        long scales = (long) shape.kvHeads() * indexedTokens() * DType.BF16.bytes();
        add(parts, "value scales", spec.values().isQuantised() ? scales : 0, shape.layers());
        long values = (long) shape.kvWidth() * indexedTokens() * valueType().bytes();
        int near = Math.min(size.deviceValueLayers(), shape.layers());
        add(parts, "values of the first %d layers".formatted(near), values, near);
        parts.add(new Allocation("values", values * (shape.layers() - near), Place.HOST));
        return parts;
    }

    /// The memory of a fork, which has resident rows and selection tables of its own.
    List<Allocation> forkParts() {
        List<Allocation> parts = new ArrayList<>();
        long rows = (long) recentRow() + recentTokens;
        add(
                parts,
                "resident keys and values",
                2L * shape.kvWidth() * rows * shape.kvType().bytes(),
                shape.layers());
        add(parts, "selection tables", selectorBytes(), shape.layers());
        return parts;
    }

    private long tableBytes() {
        long unitNumbers = (long) unitCapacity() + spec.outlierChunks();
        return selectorBytes() + shape.kvHeads() * unitNumbers * DType.I32.bytes();
    }

    private long selectorBytes() {
        long perHead = 2L * spec.cachedUnits() + 3L * spec.selectedUnits() + 1;
        return shape.kvHeads() * perHead * DType.I32.bytes() + 2L * DType.I64.bytes();
    }

    private static void add(List<Allocation> parts, String name, long bytesPerLayer, int layers) {
        if (bytesPerLayer * layers > 0) {
            parts.add(new Allocation(name, bytesPerLayer * layers, Place.DEVICE));
        }
    }
}
