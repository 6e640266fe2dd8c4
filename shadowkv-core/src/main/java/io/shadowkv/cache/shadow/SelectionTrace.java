package io.shadowkv.cache.shadow;

import io.shadowkv.cache.SelectionListener;
import io.shadowkv.op.Backend;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import java.util.Arrays;

/// Reads back the selection of a step and reports it to a listener as chunk numbers.
///
/// @param backend backend that holds the selection
/// @param listener receives the selection
record SelectionTrace(Backend backend, SelectionListener listener) {
    void record(int layer, SlotTable<IndexedLayer> chunks, StepRows rows) {
        int[] slots = backend.downloadInts(rows.slots());
        int[] positions = backend.downloadInts(rows.positions());
        for (int row = 0; row < rows.count(); row++) {
            if (slots[row] < 0) {
                continue;
            }
            IndexedLayer indexed = chunks.get(slots[row]);
            int heads = indexed.kvHeads();
            int[] missCounts = backend.downloadInts(indexed.residency().missCounts());
            int[][] missed = new int[heads][];
            int[][] selected = new int[heads][];
            for (int head = 0; head < heads; head++) {
                int[] chunkOf = backend.downloadInts(indexed.index().unitIds().row(head));
                int[] misses =
                        backend.downloadInts(indexed.residency().missUnits().row(head));
                missed[head] = Arrays.stream(misses, 0, missCounts[head])
                        .map(unit -> chunkOf[unit])
                        .toArray();
                int[] unitOf =
                        backend.downloadInts(indexed.residency().residentUnits().row(head));
                selected[head] = Arrays.stream(backend.downloadInts(
                                indexed.residency().selectedSlots().row(head)))
                        .filter(slot -> slot >= 0)
                        .map(slot -> chunkOf[unitOf[slot]])
                        .toArray();
            }
            listener.selected(layer, slots[row], positions[row], missed, selected);
        }
    }
}
