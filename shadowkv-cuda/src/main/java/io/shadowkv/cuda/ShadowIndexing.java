package io.shadowkv.cuda;

import io.shadowkv.op.Rotary;
import io.shadowkv.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// Stub; helper "index" writes it.
@SuppressWarnings("DoNotCallSuggester")
final class ShadowIndexing implements AutoCloseable {
    ShadowIndexing(CudaParts parts) {}

    void landmarks(Tensor keys, int firstUnit, int unitTokens, Tensor landmarks, Tensor minCosines) { throw new IllegalStateException("not written yet"); }

    void splitOutliers(Tensor minCosines, Tensor outliers, Tensor others) { throw new IllegalStateException("not written yet"); }

    void gatherUnits(Tensor source, Tensor units, int unitTokens, Tensor target, int targetRow) { throw new IllegalStateException("not written yet"); }

    void copyRows(Tensor source, int from, int count, Tensor target, int to) { throw new IllegalStateException("not written yet"); }

    void storeValues(Tensor source, int from, int count, Tensor values, @Nullable Tensor scales, int to) { throw new IllegalStateException("not written yet"); }

    void unrotate(Tensor keys, int from, int count, int firstPosition, Rotary rotary, Tensor plain) { throw new IllegalStateException("not written yet"); }

    @Override
    public void close() {}
}
