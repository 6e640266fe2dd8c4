package io.shadowkv.cache.shadow;

import io.shadowkv.tensor.DType;

/// The rows of the resident region of one layer, and what a step selects there.
///
/// The rows are `outliers | cached units | recent`; the units that a step selects are among the
/// cached ones.
///
/// @param sequence layout of the sequence
/// @param budget tokens selected per step and key-value head
/// @param cachedTokens tokens of the cached units
record LayerLayout(ShadowLayout sequence, int budget, int cachedTokens) {
    /// First row of the cached units; the rows of the outliers precede it.
    int cachedRow() {
        return sequence.spec().outlierTokens();
    }

    /// First row of the recent tokens.
    int recentRow() {
        return cachedRow() + cachedTokens;
    }

    /// Rows of the resident region per key-value head.
    int residentRows() {
        return sequence.isAlwaysWhole() ? sequence.capacity() : recentRow() + sequence.recentTokens();
    }

    /// Units selected per step and head.
    int selectedUnits() {
        return budget / unitTokens();
    }

    /// Units resident per head in addition to the outliers.
    int cachedUnits() {
        return cachedTokens / unitTokens();
    }

    int unitTokens() {
        return sequence.spec().unitTokens();
    }

    /// Bytes of the tables of resident and selected units.
    long selectorBytes() {
        long perHead = 2L * cachedUnits() + 3L * selectedUnits() + 1;
        return sequence.shape().kvHeads() * perHead * DType.I32.bytes() + 2L * DType.I64.bytes();
    }
}
