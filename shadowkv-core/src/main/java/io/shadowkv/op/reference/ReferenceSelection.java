package io.shadowkv.op.reference;

import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.op.host.ForcedHits;
import io.shadowkv.tensor.Tensor;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/// Decides which units a step selects, which of them are already resident, and which slots the
/// others get.
final class ReferenceSelection {
    private static final int FREE = -1;
    private static final int OLDEST = 255;

    void select(Tensor scores, SlotTable<IndexedLayer> layers, StepRows rows) {
        ReferenceShadowStep.forEach(layers, rows, (layer, i) -> {
            int units = Elements.readInt(rows.units(), i);
            int heads = layer.kvHeads();
            int selected = Math.min(units, layer.selectedUnits());
            for (int h = 0; h < heads; h++) {
                double[] values = Elements.read(scores, ((long) i * heads + h) * scores.extent(2), units);
                int misses = new Head(layer, h).settle(top(values, selected));
                Elements.addLong(layer.residency().counters(), 0, selected);
                Elements.addLong(layer.residency().counters(), 1, misses);
            }
        });
    }

    private static BitSet top(double[] values, int count) {
        BitSet chosen = new BitSet(values.length);
        IntStream.range(0, values.length)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer u) -> values[u]).reversed())
                .limit(count)
                .forEach(chosen::set);
        return chosen;
    }

    void forceHits(Tensor scores, SlotTable<IndexedLayer> layers, StepRows rows, double hitRate) {
        ReferenceShadowStep.forEach(layers, rows, (layer, i) -> {
            int units = Elements.readInt(rows.units(), i);
            int heads = layer.kvHeads();
            long selectedBefore = Elements.readLong(layer.residency().counters(), 0);
            long threshold = ForcedHits.threshold(hitRate, layer.selectedUnits(), layer.slots());
            for (int h = 0; h < heads; h++) {
                int base = ForcedHits.base(selectedBefore, h);
                double[] forced = new double[units];
                for (int u = 0; u < units; u++) {
                    forced[u] = ForcedHits.unitScore(base, u);
                }
                for (int s = 0; s < layer.slots(); s++) {
                    int unit = Elements.readInt(layer.residency().residentUnits(), (long) h * layer.slots() + s);
                    if (unit != FREE) {
                        forced[unit] = ForcedHits.slotScore(base, s, threshold);
                    }
                }
                Elements.write(scores, ((long) i * heads + h) * scores.extent(2), forced);
            }
        });
    }

    /// The slots of one head.
    private static final class Head {
        private final IndexedLayer layer;
        private final int h;
        private final int[] residents;
        private final int[] ages;

        Head(IndexedLayer layer, int h) {
            this.layer = layer;
            this.h = h;
            residents = new int[layer.slots()];
            ages = new int[layer.slots()];
            for (int s = 0; s < residents.length; s++) {
                residents[s] = Elements.readInt(layer.residency().residentUnits(), slotAt(s));
                ages[s] = Elements.readInt(layer.residency().slotAges(), slotAt(s));
            }
        }

        /// Assigns slots to the chosen units, ascending units to ascending slots, and returns how
        /// many were missing.
        int settle(BitSet chosen) {
            BitSet missing = (BitSet) chosen.clone();
            BitSet selected = new BitSet();
            for (int s = 0; s < residents.length; s++) {
                if (residents[s] != FREE && chosen.get(residents[s])) {
                    missing.clear(residents[s]);
                    selected.set(s);
                }
            }
            int[] slots = slotsToFill(selected, missing.cardinality());
            int misses = 0;
            for (int unit = missing.nextSetBit(0); unit >= 0; unit = missing.nextSetBit(unit + 1)) {
                int slot = slots[misses];
                residents[slot] = unit;
                selected.set(slot);
                Elements.writeInt(layer.residency().missUnits(), selectedAt(misses), unit);
                Elements.writeInt(layer.residency().missSlots(), selectedAt(misses), slot);
                misses++;
            }
            Elements.writeInt(layer.residency().missCounts(), h, misses);
            write(selected);
            return misses;
        }

        /// The `count` unselected slots to replace, in ascending order: free slots first, then the
        /// oldest.
        private int[] slotsToFill(BitSet selected, int count) {
            List<Integer> candidates = new ArrayList<>();
            for (int s = 0; s < residents.length; s++) {
                if (!selected.get(s)) {
                    candidates.add(s);
                }
            }
            candidates.sort(Comparator.comparingInt(s -> residents[s] == FREE ? 0 : 1 + OLDEST - ages[s]));
            return candidates.stream().limit(count).mapToInt(s -> s).sorted().toArray();
        }

        private void write(BitSet selected) {
            int next = 0;
            for (int s = 0; s < residents.length; s++) {
                int age = selected.get(s) ? 0 : Math.min(ages[s] + 1, OLDEST);
                Elements.writeInt(layer.residency().residentUnits(), slotAt(s), residents[s]);
                Elements.writeInt(layer.residency().slotAges(), slotAt(s), age);
                if (selected.get(s)) {
                    Elements.writeInt(layer.residency().selectedSlots(), selectedAt(next++), s);
                }
            }
            while (next < layer.selectedUnits()) {
                Elements.writeInt(layer.residency().selectedSlots(), selectedAt(next++), FREE);
            }
        }

        private long slotAt(int slot) {
            return (long) h * layer.slots() + slot;
        }

        private long selectedAt(int index) {
            return (long) h * layer.selectedUnits() + index;
        }
    }
}
