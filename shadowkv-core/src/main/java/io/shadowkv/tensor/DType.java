package io.shadowkv.tensor;

/// Element type of a [Tensor]; little-endian in memory, as safetensors stores it.
public enum DType {
    F32(4, true),
    /// The upper half of a float: 8 exponent bits, 7 stored mantissa bits.
    BF16(2, true),
    /// IEEE 754 binary16.
    F16(2, true),
    F64(8, true),
    /// 8 bits: sign, 4 exponent bits, 3 mantissa bits, largest 448, no infinities (OCP E4M3).
    F8E4M3(1, true),
    I8(1, false),
    U8(1, false),
    I16(2, false),
    U16(2, false),
    I32(4, false),
    U32(4, false),
    I64(8, false),
    U64(8, false),
    BOOL(1, false);

    private final int bytes;
    private final boolean floating;

    DType(int bytes, boolean floating) {
        this.bytes = bytes;
        this.floating = floating;
    }

    /// Bytes of one element.
    public int bytes() {
        return bytes;
    }

    public boolean isFloating() {
        return floating;
    }
}
