package io.shadowkv.cache.shadow;

import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;

/// Which units are resident in one layer, and which the current step misses. All of it stays in backend memory.
///
/// @param residentUnits I32 [kvHeads, slots], index of the unit in each slot, -1 for none yet
/// @param slotAges I32 [kvHeads, slots], steps since the unit in each slot was selected
/// @param selectedSlots I32 [kvHeads, slots], where the units of the last step are
/// @param missUnits I32 [kvHeads, slots]
/// @param missSlots I32 [kvHeads, slots]
/// @param missCounts I32 [kvHeads]
/// @param counters I64 [2], selected and missed units so far
record ChunkSelector(
        Tensor residentUnits,
        Tensor slotAges,
        Tensor selectedSlots,
        Tensor missUnits,
        Tensor missSlots,
        Tensor missCounts,
        Tensor counters) {
    static ChunkSelector allocate(ShadowLayout layout, Backend backend, MemoryScope scope) {
        int heads = layout.shape().kvHeads();
        int slots = layout.spec().selectedUnits();
        ChunkSelector selector = new ChunkSelector(
                scope.allocate(DType.I32, heads, slots),
                scope.allocate(DType.I32, heads, slots),
                scope.allocate(DType.I32, heads, slots),
                scope.allocate(DType.I32, heads, slots),
                scope.allocate(DType.I32, heads, slots),
                scope.allocate(DType.I32, heads),
                scope.allocate(DType.I64, 2));
        int[] none = new int[heads * slots];
        Arrays.fill(none, -1);
        backend.upload(none, selector.residentUnits());
        return selector;
    }
}
