package io.shadowkv.cpu.shadow;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import io.shadowkv.op.IndexedLayer;
import java.lang.foreign.MemorySegment;

/// The missing units of one head and their slots.
final class Misses {
    private final IndexedLayer layer;
    private final MemorySegment units;
    private final MemorySegment slots;
    private final MemorySegment ids;
    private final long first;
    private final long firstId;
    private final int count;

    Misses(IndexedLayer layer, int head) {
        this.layer = layer;
        units = layer.residency().missUnits().segment();
        slots = layer.residency().missSlots().segment();
        ids = layer.index().unitIds().segment();
        first = (long) head * layer.selectedUnits();
        firstId = (long) head * layer.unitCapacity();
        count = layer.residency().missCounts().segment().get(JAVA_INT_UNALIGNED, (long) head * Integer.BYTES);
    }

    /// Every token of the missing units.
    KeyRebuild.Places tokens() {
        int unitTokens = layer.unitTokens();
        return new KeyRebuild.Places() {
            @Override
            public int token(int index) {
                return Misses.this.token(index / unitTokens) + index % unitTokens;
            }

            @Override
            public int row(int index) {
                return Misses.this.row(index / unitTokens) + index % unitTokens;
            }
        };
    }

    int count() {
        return count;
    }

    /// First token of miss `i`.
    int token(int i) {
        int unit = units.get(JAVA_INT_UNALIGNED, (first + i) * Integer.BYTES);
        return ids.get(JAVA_INT_UNALIGNED, (firstId + unit) * Integer.BYTES) * layer.unitTokens();
    }

    /// Row of the attended region for the first token of miss `i`.
    int row(int i) {
        int slot = slots.get(JAVA_INT_UNALIGNED, (first + i) * Integer.BYTES);
        return layer.residency().firstRow() + slot * layer.unitTokens();
    }
}
