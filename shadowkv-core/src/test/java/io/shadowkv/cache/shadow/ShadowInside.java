package io.shadowkv.cache.shadow;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.Backend;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.ShadowOperations;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Opens ShadowKV's sequence for tests: what it keeps, and ways to disturb it without changing what it means.
public final class ShadowInside {
    private ShadowInside() {}

    /// What attention reads of a layer.
    public static AttendedRows attended(SequenceCache sequence, int layer) {
        return ((ShadowSequence) sequence).attended(layer);
    }

    /// The index of a layer.
    public static IndexedLayer indexed(SequenceCache sequence, int layer) {
        return ((ShadowSequence) sequence).indexed(layer);
    }

    /// The mean keys that token codes of a layer have less, F32 `[kvHeads, headDim]`: the last tensor of its index.
    public static Tensor meanKeys(SequenceCache sequence, int layer) {
        return Objects.requireNonNull(sequence.state().tensors().get("layers." + layer + ".index.5"));
    }

    public static int layers(SequenceCache sequence) {
        return ((ShadowSequence) sequence).layout().shape().layers();
    }

    public static KvCacheSpec.Shadow spec(SequenceCache sequence) {
        return ((ShadowSequence) sequence).layout().spec();
    }

    /// The resident units of each head of a layer, whatever their slots.
    public static List<Set<Integer>> residents(SequenceCache sequence, int layer, Backend backend) {
        IndexedLayer index = indexed(sequence, layer);
        int[] units = backend.downloadInts(index.residency().residentUnits());
        return IntStream.range(0, index.kvHeads())
                .mapToObj(head -> Arrays.stream(units, head * index.slots(), (head + 1) * index.slots())
                        .boxed()
                        .collect(Collectors.toSet()))
                .toList();
    }

    /// Makes every layer forget which units are resident, so that the next step fetches all it selects.
    public static void forget(SequenceCache sequence, Backend backend) {
        for (int layer = 0; layer < layers(sequence); layer++) {
            Tensor resident = indexed(sequence, layer).residency().residentUnits();
            int[] none = new int[Math.toIntExact(resident.elements())];
            Arrays.fill(none, -1);
            backend.upload(none, resident);
        }
    }

    /// Puts the resident units of every layer and head in the opposite order of slots, keys and values with them.
    public static void reverseSlots(SequenceCache sequence, Backend backend) {
        for (int layer = 0; layer < layers(sequence); layer++) {
            IndexedLayer index = indexed(sequence, layer);
            int heads = index.kvHeads();
            int slots = index.slots();
            int[] units = backend.downloadInts(index.residency().residentUnits());
            int[] reversed = new int[units.length];
            for (int i = 0; i < units.length; i++) {
                reversed[i] = units[i / slots * slots + slots - 1 - i % slots];
            }
            backend.upload(reversed, index.residency().residentUnits());
            reverseRows(index.residency().attended().keys(), index, heads, slots, backend);
            reverseRows(index.residency().attended().values(), index, heads, slots, backend);
        }
    }

    private static void reverseRows(Tensor region, IndexedLayer index, int heads, int slots, Backend backend) {
        ShadowOperations shadow = backend.operations().shadow();
        int rows = slots * index.unitTokens();
        try (MemoryScope scope = backend.newScope("reversing slots")) {
            Tensor copy = scope.allocate(region.dtype(), heads, rows, region.extent(2));
            shadow.copyRows(region, index.residency().firstRow(), rows, copy, 0);
            for (int slot = 0; slot < slots; slot++) {
                int to = index.residency().firstRow() + (slots - 1 - slot) * index.unitTokens();
                shadow.copyRows(copy, slot * index.unitTokens(), index.unitTokens(), region, to);
            }
            backend.synchronize();
        }
    }
}
