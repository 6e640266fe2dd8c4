package io.shadowkv.cache.shadow;

import io.shadowkv.cache.CacheShape;
import io.shadowkv.cache.CacheStrategy.Part;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.op.Backend.Place;
import io.shadowkv.tensor.DType;
import java.util.List;

/// Extents of everything one sequence keeps, from the spec, the decoder's shape and the tokens it may reach.
///
/// Rows of the resident region: `outliers | selected | recent`. Until a sequence outgrows the region, row t is
/// simply token t ("whole").
///
/// @param capacity tokens the sequence may reach
record ShadowLayout(KvCacheSpec.Shadow spec, CacheShape shape, int capacity) {
    /// True if the sequence can never outgrow the resident region, so that it needs no index.
    boolean isAlwaysWhole() {
        return capacity <= spec.residentTokens();
    }

    /// Rows of the resident region, for each key-value head.
    int residentRows() {
        return Math.min(capacity, spec.residentTokens());
    }

    /// First row of the selected units; the outliers' rows come before.
    int selectedRow() {
        return spec.outlierChunks() * spec.chunkSize();
    }

    /// First row of the recent tokens.
    int recentRow() {
        return selectedRow() + spec.sparseBudget();
    }

    /// Columns of the key factorisation.
    int rank() {
        return Math.min(spec.rank(), shape.kvWidth());
    }

    /// Units that the index may hold, outliers not counted.
    int unitCapacity() {
        return capacity / spec.chunkSize() - spec.outlierChunks();
    }

    /// Tokens that may join the index, outliers counted: rows of the key factor and of the value store.
    int indexedTokens() {
        return capacity / spec.chunkSize() * spec.chunkSize();
    }

    /// Units of a context of `tokens` tokens: all but the local tokens and the remainder of a unit.
    int contextUnits(int tokens) {
        return tokens / spec.chunkSize() - spec.localTokens() / spec.chunkSize();
    }

    /// Bytes of all layers, part by part.
    List<Part> parts() {
        long kv = shape.kvType().bytes();
        Part resident = part("resident keys and values", 2L * shape.kvWidth() * residentRows() * kv, Place.DEVICE);
        if (isAlwaysWhole()) {
            return List.of(resident);
        }
        int slots = spec.selectedUnits();
        long tables = ((long) shape.kvHeads() * (5L * slots + 1 + unitCapacity())) * DType.I32.bytes()
                + 2L * DType.I64.bytes();
        return List.of(
                resident,
                part("landmarks", (long) shape.kvWidth() * unitCapacity() * kv, Place.DEVICE),
                part("low-rank keys", ((long) indexedTokens() + shape.kvWidth()) * rank() * kv, Place.DEVICE),
                part("selection tables", tables, Place.DEVICE),
                part("values", (long) shape.kvWidth() * indexedTokens() * kv, Place.HOST));
    }

    private Part part(String name, long bytesPerLayer, Place place) {
        return new Part(name, bytesPerLayer * shape.layers(), place);
    }
}
