package io.shadowkv.tensor;

/// The precision in which the matrices of linear layers are kept in memory.
public enum WeightPrecision {
    /// As the checkpoint stores them.
    STORED,
    /// Codes of 8 bits, 32 of which share a scale: 8.5 bits a weight.
    INT8,
    /// Numbers of 8 bits (OCP E4M3) with a scale for each row.
    FP8,
    /// Codes of 4 bits with scales and offsets, 4.5 bits a weight; the output projection has 8 bits.
    INT4
}
