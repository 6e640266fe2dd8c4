package io.shadowkv.cache.shadow;

import io.shadowkv.cache.shadow.index.LayerMemory;
import io.shadowkv.op.Backend;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/// The units that are resident in one layer, the units that the last step selected, and the units
/// that it missed. All tensors stay in device memory.
///
/// @param residentUnits I32 `[kvHeads, cachedUnits]`, index of the unit in each slot, -1 if the
///     slot is free
/// @param slotAges I32 `[kvHeads, cachedUnits]`, steps since the unit in each slot was last selected
/// @param selectedSlots I32 `[kvHeads, selectedUnits]`
/// @param missUnits I32 `[kvHeads, selectedUnits]`
/// @param missSlots I32 `[kvHeads, selectedUnits]`
/// @param missCounts I32 `[kvHeads]`
/// @param counters I64 `[2]`, selected and missed units so far
record ChunkSelector(
        Tensor residentUnits,
        Tensor slotAges,
        Tensor selectedSlots,
        Tensor missUnits,
        Tensor missSlots,
        Tensor missCounts,
        Tensor counters) {
    static ChunkSelector allocate(LayerLayout layout, Backend backend, LayerMemory memory) {
        int heads = layout.sequence().shape().kvHeads();
        int slots = layout.cachedUnits();
        int selected = layout.selectedUnits();
        ChunkSelector selector = new ChunkSelector(
                memory.allocate(DType.I32, heads, slots),
                memory.allocate(DType.I32, heads, slots),
                memory.allocate(DType.I32, heads, selected),
                memory.allocate(DType.I32, heads, selected),
                memory.allocate(DType.I32, heads, selected),
                memory.allocate(DType.I32, heads),
                memory.allocate(DType.I64, 2));
        int[] none = new int[heads * slots];
        Arrays.fill(none, -1);
        backend.upload(none, selector.residentUnits());
        return selector;
    }

    /// All tensors, in a fixed order.
    List<Tensor> tensors() {
        return List.of(residentUnits, slotAges, selectedSlots, missUnits, missSlots, missCounts, counters);
    }
}
