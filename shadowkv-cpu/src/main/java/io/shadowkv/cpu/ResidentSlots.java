package io.shadowkv.cpu;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import io.shadowkv.op.IndexedLayer;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;

/// The slots of one head: which unit is where.
final class ResidentSlots {
    private static final int FREE = -1;

    private final IndexedLayer layer;
    private final MemorySegment residents;
    private final int head;
    private final int slots;

    ResidentSlots(IndexedLayer layer, int head) {
        this.layer = layer;
        this.head = head;
        residents = layer.residentUnits().segment();
        slots = layer.residentUnits().extent(1);
    }

    /// Keeps the chosen units that are there and gives every other one the lowest free slot; empties `chosen`
    /// of hits.
    void settle(BitSet chosen) {
        int[] free = new int[slots];
        int freeCount = 0;
        for (int s = 0; s < slots; s++) {
            int unit = residents.get(JAVA_INT_UNALIGNED, at(s));
            if (unit >= 0 && chosen.get(unit)) {
                chosen.clear(unit);
            } else {
                residents.set(JAVA_INT_UNALIGNED, at(s), FREE);
                free[freeCount++] = s;
            }
        }
        MemorySegment missUnits = layer.missUnits().segment();
        MemorySegment missSlots = layer.missSlots().segment();
        int misses = 0;
        for (int unit = chosen.nextSetBit(0); unit >= 0; unit = chosen.nextSetBit(unit + 1)) {
            residents.set(JAVA_INT_UNALIGNED, at(free[misses]), unit);
            missUnits.set(JAVA_INT_UNALIGNED, at(misses), unit);
            missSlots.set(JAVA_INT_UNALIGNED, at(misses), free[misses]);
            misses++;
        }
        layer.missCounts().segment().set(JAVA_INT_UNALIGNED, (long) head * Integer.BYTES, misses);
    }

    private long at(int slot) {
        return ((long) head * slots + slot) * Integer.BYTES;
    }
}
