package io.shadowkv.cpu.shadow;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.host.ForcedHits;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.BitSet;

/// The slots of one head: the unit in each, and how many steps ago it was last selected.
final class ResidentSlots {
    private static final int FREE = -1;
    private static final int OLDEST = 255;

    private final IndexedLayer layer;
    private final int head;
    private final int[] residents;
    private final int[] ages;

    ResidentSlots(IndexedLayer layer, int head) {
        this.layer = layer;
        this.head = head;
        residents = read(layer.residency().residentUnits());
        ages = read(layer.residency().slotAges());
    }

    /// Keeps the chosen units that are resident and assigns the next slot to replace to each of the
    /// others; removes hits from `chosen`.
    void settle(BitSet chosen) {
        BitSet selected = new BitSet(residents.length);
        for (int s = 0; s < residents.length; s++) {
            if (residents[s] != FREE && chosen.get(residents[s])) {
                chosen.clear(residents[s]);
                selected.set(s);
            }
        }
        int misses = chosen.cardinality();
        int[] missUnits = chosen.stream().toArray();
        int[] missSlots = makeRoom(selected, misses);
        for (int m = 0; m < misses; m++) {
            residents[missSlots[m]] = missUnits[m];
            selected.set(missSlots[m]);
        }
        for (int s = 0; s < ages.length; s++) {
            ages[s] = selected.get(s) ? 0 : Math.min(ages[s] + 1, OLDEST);
        }
        write(layer.residency().residentUnits(), residents, residents.length);
        write(layer.residency().slotAges(), ages, ages.length);
        write(layer.residency().missUnits(), missUnits, misses);
        write(layer.residency().missSlots(), missSlots, misses);
        int[] slots = Arrays.copyOf(selected.stream().toArray(), layer.selectedUnits());
        Arrays.fill(slots, selected.cardinality(), slots.length, FREE);
        write(layer.residency().selectedSlots(), slots, slots.length);
        layer.residency().missCounts().segment().set(JAVA_INT_UNALIGNED, (long) head * Integer.BYTES, misses);
    }

    /// The `count` unselected slots to replace, in ascending order: free before used, older before
    /// younger, lower before higher. Counts the slots of each age instead of sorting.
    private int[] makeRoom(BitSet selected, int count) {
        int[] ofRank = new int[OLDEST + 2];
        for (int s = selected.nextClearBit(0); s < residents.length; s = selected.nextClearBit(s + 1)) {
            ofRank[rank(s)]++;
        }
        int last = 0;
        int left = count;
        while (last < ofRank.length && ofRank[last] <= left) {
            left -= ofRank[last++];
        }
        int[] slots = new int[count];
        int found = 0;
        for (int s = selected.nextClearBit(0); found < count; s = selected.nextClearBit(s + 1)) {
            if (rank(s) < last || rank(s) == last && left-- > 0) {
                slots[found++] = s;
            }
        }
        return slots;
    }

    private int rank(int slot) {
        return residents[slot] == FREE ? 0 : 1 + OLDEST - ages[slot];
    }

    /// Scores of [io.shadowkv.op.ShadowOperations#forceHits] for the resident units.
    void force(float[] scores, int base, double hitRate) {
        long threshold = ForcedHits.threshold(hitRate, layer.selectedUnits(), layer.slots());
        for (int s = 0; s < residents.length; s++) {
            if (residents[s] != FREE) {
                scores[residents[s]] = ForcedHits.slotScore(base, s, threshold);
            }
        }
    }

    /// The row of this head in a tensor `[heads, n]`.
    private int[] read(Tensor tensor) {
        return tensor.row(head).segment().toArray(JAVA_INT_UNALIGNED);
    }

    private void write(Tensor tensor, int[] values, int count) {
        MemorySegment row = tensor.row(head).segment();
        MemorySegment.copy(values, 0, row, JAVA_INT_UNALIGNED, 0, count);
    }
}
