package io.shadowkv.cache.shadow;

import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// Buffers for indexing one layer of `units` context units, reused by all layers. Owned by its scope.
///
/// @param plain F32 [PLAIN_ROWS, kvWidth], keys before RoPE of some tokens
/// @param gram F32 [kvWidth, kvWidth]
/// @param zeros F32 [kvWidth, kvWidth], never written
/// @param landmarks [kvHeads, units, headDim], outliers' included
/// @param minCosines F32 [kvHeads, units]
/// @param outliers I32 [kvHeads, outlierChunks]
/// @param others I32 [kvHeads, units - outlierChunks]
record IndexScratch(
        Tensor plain, Tensor gram, Tensor zeros, Tensor landmarks, Tensor minCosines, Tensor outliers, Tensor others) {
    /// Rows of keys taken back to before RoPE at a time.
    static final int PLAIN_ROWS = 512;

    /// Buffers for a prompt, or null if the prompt fits the resident region and needs no index.
    static @Nullable IndexScratch forPrompt(ShadowLayout layout, MemoryScope scope, int tokens) {
        return tokens <= layout.residentRows() ? null : allocate(layout, scope, layout.contextUnits(tokens));
    }

    static IndexScratch allocate(ShadowLayout layout, MemoryScope scope, int units) {
        int heads = layout.shape().kvHeads();
        int width = layout.shape().kvWidth();
        int outliers = layout.spec().outlierChunks();
        return new IndexScratch(
                scope.allocate(DType.F32, PLAIN_ROWS, width),
                scope.allocate(DType.F32, width, width),
                scope.allocate(DType.F32, width, width),
                scope.allocate(
                        layout.shape().kvType(), heads, units, layout.shape().headDim()),
                scope.allocate(DType.F32, heads, units),
                scope.allocate(DType.I32, heads, outliers),
                scope.allocate(DType.I32, heads, units - outliers));
    }

    static long bytes(ShadowLayout layout, int units) {
        long width = layout.shape().kvWidth();
        long floats =
                PLAIN_ROWS * width + 2 * width * width + (long) layout.shape().kvHeads() * units * 2;
        return floats * Float.BYTES + width * units * layout.shape().kvType().bytes();
    }
}
