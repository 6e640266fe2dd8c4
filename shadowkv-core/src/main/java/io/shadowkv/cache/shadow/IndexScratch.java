package io.shadowkv.cache.shadow;

import io.shadowkv.cache.shadow.index.UnitBuffers;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// Buffers for indexing one layer of `units` context units, reused by all layers. Owned by its scope.
///
/// @param plain activation type `[plainRows, kvWidth]`, keys before RoPE of some tokens
/// @param gram F32 `[kvWidth, kvWidth]`
/// @param zeros F32 `[kvWidth, kvWidth]`, never written
/// @param units buffers of the index
record IndexScratch(Tensor plain, Tensor gram, Tensor zeros, UnitBuffers units) {
    /// Rows of keys whose rotation is undone at a time if the host computes: these fit the
    /// processor's caches.
    private static final int HOST_ROWS = 512;

    /// Rows at a time on a device, where matrix products need many rows to use the whole device.
    private static final int DEVICE_ROWS = 16_384;

    /// Buffers for a prompt, or null if the prompt fits the resident region and needs no index.
    static @Nullable IndexScratch forPrompt(ShadowLayout layout, Backend backend, MemoryScope scope, int tokens) {
        return tokens <= layout.residentRows() ? null : allocate(layout, backend, scope, tokens);
    }

    /// @param tokens tokens of the sequence that is indexed
    static IndexScratch allocate(ShadowLayout layout, Backend backend, MemoryScope scope, int tokens) {
        int width = layout.shape().kvWidth();
        return new IndexScratch(
                plain(layout, backend, scope, tokens),
                scope.allocate(DType.F32, width, width),
                scope.allocate(DType.F32, width, width),
                layout.index().buildBuffers(backend, scope, layout.contextUnits(tokens)));
    }

    /// A buffer for the keys before RoPE of up to `tokens` tokens, or of as many as are computed at
    /// a time.
    static Tensor plain(ShadowLayout layout, Backend backend, MemoryScope scope, int tokens) {
        return scope.allocate(
                backend.activationType(layout.shape().kvType()),
                plainRows(backend, tokens),
                layout.shape().kvWidth());
    }

    private static int plainRows(Backend backend, int tokens) {
        return Math.min(tokens, backend.isHostDevice() ? HOST_ROWS : DEVICE_ROWS);
    }

    static long bytes(ShadowLayout layout, Backend backend, int tokens) {
        long width = layout.shape().kvWidth();
        DType type = layout.shape().kvType();
        long plain = plainRows(backend, tokens)
                * width
                * backend.activationType(type).bytes();
        return plain + 2 * width * width * Float.BYTES + layout.index().buildBytes(layout.contextUnits(tokens));
    }
}
