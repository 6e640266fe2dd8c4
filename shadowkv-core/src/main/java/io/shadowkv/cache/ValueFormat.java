package io.shadowkv.cache;

import io.shadowkv.tensor.DType;

/// How a value store keeps values.
public enum ValueFormat {
    /// In the type of the keys, exactly.
    AS_KEYS,
    /// 8-bit integers, one scale a row: half the bytes of BF16.
    I8,
    /// 8-bit floats (E4M3), one scale a row.
    F8;

    /// Type of a stored element.
    ///
    /// @param kvType type of keys and values in device memory
    public DType type(DType kvType) {
        return switch (this) {
            case AS_KEYS -> kvType;
            case I8 -> DType.I8;
            case F8 -> DType.F8E4M3;
        };
    }

    /// True if every row needs a scale.
    public boolean isQuantised() {
        return this != AS_KEYS;
    }
}
