package io.shadowkv.engine.laws;

import io.shadowkv.op.Backend;
import io.shadowkv.tensor.DType;
import java.util.function.Supplier;

/// A backend that laws are held against, and how exactly.
///
/// @param opener opens a new one; closed after each test
/// @param rounding largest difference of a logit, as a share of the largest, between two ways to compute the same
///     sums in another order; 0 for a backend that computes every row by itself and in one order
/// @param isBatchInvariant true if a row's result does not depend on how many others are computed with it; where
///     it does, two batches agree to rounding only, and a close choice among units or tokens may fall another way
/// @param type type of weights, keys and values
public record BackendUnderTest(Supplier<Backend> opener, double rounding, boolean isBatchInvariant, DType type) {
    /// One that computes every row by itself and in one order.
    public static BackendUnderTest exact(Supplier<Backend> opener) {
        return new BackendUnderTest(opener, 0, true, DType.F32);
    }

    /// One that may sum in another order.
    public static BackendUnderTest rounding(Supplier<Backend> opener) {
        return new BackendUnderTest(opener, 1e-4, true, DType.F32);
    }

    /// The same, whose order depends on the batch.
    public BackendUnderTest batchDependent() {
        return new BackendUnderTest(opener, rounding, false, type);
    }

    /// The same with weights, keys and values in BF16: each of the roundings on the way to a logit is half a
    /// percent, and they add up to a few.
    public BackendUnderTest bf16() {
        return new BackendUnderTest(opener, 0.05, isBatchInvariant, DType.BF16);
    }
}
