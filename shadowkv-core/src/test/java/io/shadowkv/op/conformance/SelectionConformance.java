package io.shadowkv.op.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.op.testing.Exactly;
import io.shadowkv.op.testing.IndexedSequence;
import io.shadowkv.op.testing.Sample;
import io.shadowkv.op.testing.TestRows;
import io.shadowkv.op.testing.Workbench;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Which units are selected, which of them are hits, and which slots make room for misses. Only which miss gets
/// which of these slots is the backend's choice.
public abstract class SelectionConformance extends BackendConformance {
    private static final int HEADS = 3;

    /// Slots of a wave's sequences. The second has no index, the third row is padding.
    private static final int[] SLOTS = {5, 1, -1, 2, 7, 0};

    /// Every kind of score: distinct, full of ties, all the same, as small as a softmax over a long context
    /// makes them, mostly zero, of all magnitudes.
    private enum Scores {
        DISTINCT,
        TIED,
        EQUAL,
        TINY,
        ZERO_MOSTLY,
        SPREAD;

        float next(Workbench bench) {
            return switch (this) {
                case DISTINCT -> bench.random().nextFloat();
                case TIED -> bench.random().nextInt(4) / 4f;
                case EQUAL -> 0.25f;
                case TINY -> bench.random().nextFloat() * 1e-38f;
                case SPREAD -> (float) Math.exp(-60 * bench.random().nextDouble());
                case ZERO_MOSTLY ->
                    bench.random().nextInt(20) == 0 ? bench.random().nextFloat() : 0;
            };
        }
    }

    @Test
    void selectsTheTopUnitsStepAfterStep() {
        for (Scores kind : Scores.values()) {
            for (int k : List.of(1, 7, 8, 16, 33)) {
                select(kind, k, k, new int[] {k, 0, 0, k + 1, 3 * k + 5, Math.max(1, k / 2)});
            }
        }
    }

    @Test
    void keepsMoreUnitsThanItSelects() {
        for (Scores kind : Scores.values()) {
            for (int k : List.of(1, 7, 8, 16)) {
                for (int slots : List.of(k + 1, 2 * k, 5 * k + 3)) {
                    int[] units = {k, 0, 0, slots + 1, 3 * slots + 5, slots};
                    select(kind, k, slots, units);
                }
            }
        }
    }

    @Test
    void selectsAmongTileEdges() {
        for (int units : List.of(31, 32, 33, 63, 64, 65, 127, 255, 256, 257)) {
            select(Scores.DISTINCT, 9, 9, new int[] {units, units - 1, 0, 0, units + 1, 9});
            select(Scores.DISTINCT, 9, 31, new int[] {units, units - 1, 0, 0, units + 1, 9});
        }
    }

    @Test
    void selectsAmongMany() {
        select(Scores.DISTINCT, 256, 256, new int[] {16_000, 0, 0, 257, 1_009, 2_048});
        select(Scores.TIED, 256, 256, new int[] {4_000, 0, 0, 257, 1_009, 2_048});
        select(Scores.DISTINCT, 256, 320, new int[] {16_000, 0, 0, 257, 1_009, 2_048});
        select(Scores.TIED, 256, 1024, new int[] {4_000, 0, 0, 257, 1_009, 2_048});
    }

    /// As many units as single tokens of a long context are; a backend may select groups of them first.
    @Test
    void selectsAmongTokensOfALongContext() {
        for (Scores kind : Scores.values()) {
            select(kind, 40, 50, new int[] {16_385, 0, 0, 41, 1_009, 20_003});
        }
        select(Scores.TIED, 2_100, 2_100, new int[] {2_101, 0, 0, 16_800, 16_801, 0});
        select(Scores.DISTINCT, 300, 300, new int[] {131_100, 0, 0, 301, 1, 0});
    }

    /// As many units as a device's block has no shared memory for, so that it keeps some lists in
    /// device memory; among groups of units, and among all.
    @Test
    void selectsMoreUnitsThanABlockHolds() {
        select(Scores.DISTINCT, 16_000, 16_400, new int[] {131_100, 0, 0, 16_001, 20_003, 9});
        select(Scores.TIED, 16_000, 16_000, new int[] {16_384, 0, 0, 16_000, 20_003, 0});
    }

    /// Scores of very different sizes: the least selected one is a tiny part of the largest.
    @Test
    void selectsScoresOfManyMagnitudes() {
        select(Scores.SPREAD, 100, 100, new int[] {1_009, 0, 0, 101, 300, 0});
        select(Scores.SPREAD, 900, 900, new int[] {1_009, 0, 0, 1_000, 901, 0});
        select(Scores.SPREAD, 2_048, 2_048, new int[] {20_003, 0, 0, 2_100, 16_384, 0});
    }

    @Test
    void makesRoomWhereUnitsAreOldest() {
        int k = 6;
        int slots = 15;
        int units = 40;
        for (int start = 0; start < 20; start++) {
            try (Workbench bench = workbench("selection %d from slots of all ages", start)) {
                var sizes = new IndexedSequence.Sizes(DType.F32, 1, HEADS, 2, 1, units, k, slots);
                var warm = IndexedSequence.Slots.cold(sizes);
                int[] ages = {0, 1, 1, 2, 7, 253, 254, 255, 255};
                for (int i = 0; i < warm.residents().length; i++) {
                    // Half of the slots free in the first cases, then fewer and fewer.
                    boolean isFree = bench.random().nextInt(20) > start + 10;
                    warm.residents()[i] = isFree ? -1 : (i % slots * 11 + start) % units;
                    warm.ages()[i] = ages[bench.random().nextInt(ages.length)];
                }
                var table = new SlotTable<IndexedLayer>();
                table.set(3, new IndexedSequence(bench, sizes).on(bench, warm));
                StepRows rows =
                        TestRows.indexed(new int[] {3}, new int[] {units}).on(bench);
                var expected = new Expected(units, k, warm.residents(), warm.ages());
                for (int step = 0; step < 6; step++) {
                    float[] scores = new float[HEADS * units];
                    for (int i = 0; i < scores.length; i++) {
                        scores[i] = Scores.DISTINCT.next(bench);
                    }
                    Tensor placed = bench.input(Sample.of(DType.F32, scores, 1, HEADS, units));
                    bench.operations().shadow().select(placed, table, rows);
                    expected.check(bench.description() + ", step " + step, bench, table.get(3), scores);
                }
            }
        }
    }

    private void select(Scores kind, int k, int slots, int[] units) {
        try (Workbench bench =
                workbench("select %d of %s units, %d slots, %s scores", k, Arrays.toString(units), slots, kind)) {
            var table = new SlotTable<IndexedLayer>();
            int width = Arrays.stream(units).max().orElseThrow() + 3;
            Expected[] expected = new Expected[SLOTS.length];
            for (int i = 0; i < SLOTS.length; i++) {
                var sizes = new IndexedSequence.Sizes(DType.F32, 1, HEADS, 2, 1, units[i], k, slots);
                var cold = IndexedSequence.Slots.cold(sizes);
                expected[i] = new Expected(units[i], k, cold.residents(), cold.ages());
                if (units[i] > 0) {
                    table.set(SLOTS[i], new IndexedSequence(bench, sizes).cold(bench));
                }
            }
            StepRows rows = TestRows.indexed(SLOTS, units).on(bench);
            float[] scores = new float[SLOTS.length * HEADS * width];
            Arrays.fill(scores, Float.NaN);
            for (int step = 0; step < 4; step++) {
                drift(bench, kind, scores, units, width, step);
                Tensor placed = bench.input(Sample.of(DType.F32, scores, SLOTS.length, HEADS, width));
                bench.operations().shadow().select(placed, table, rows);
                check(bench, table, expected, scores, step);
            }
            // The same scores again: everything selected is resident.
            Tensor placed = bench.input(Sample.of(DType.F32, scores, SLOTS.length, HEADS, width));
            bench.operations().shadow().select(placed, table, rows);
            check(bench, table, expected, scores, 4);
            for (int i = 0; i < SLOTS.length; i++) {
                if (units[i] > 0) {
                    assertThat(bench.intValues(table.get(SLOTS[i]).residency().missCounts()))
                            .as("%s: misses of slot %d for the same scores", bench.description(), SLOTS[i])
                            .containsOnly(0);
                }
            }
        }
    }

    /// New scores for all units at first, later for a third of them, so that some hits stay.
    private static void drift(Workbench bench, Scores kind, float[] scores, int[] units, int width, int step) {
        for (int i = 0; i < units.length; i++) {
            for (int h = 0; h < HEADS; h++) {
                for (int u = 0; u < units[i]; u++) {
                    if (step == 0 || bench.random().nextInt(3) == 0) {
                        scores[(i * HEADS + h) * width + u] = kind.next(bench);
                    }
                }
            }
        }
    }

    private static void check(
            Workbench bench, SlotTable<IndexedLayer> table, Expected[] expected, float[] scores, int step) {
        int width = scores.length / SLOTS.length / HEADS;
        for (int i = 0; i < SLOTS.length; i++) {
            if (expected[i].units > 0) {
                float[] own = Arrays.copyOfRange(scores, i * HEADS * width, (i + 1) * HEADS * width);
                String what = bench.description() + ", slot " + SLOTS[i] + ", step " + step;
                expected[i].check(what, bench, table.get(SLOTS[i]), own);
            }
        }
    }

    /// What must hold for one sequence, from step to step. Which miss gets which slot is open, so that each step is
    /// judged by the slots as the step before left them.
    private static final class Expected {
        private final int units;
        private final int k;
        private final int slots;
        private int[] residents;
        private int[] ages;
        private long selectedTotal;
        private long missTotal;

        Expected(int units, int k, int[] residents, int[] ages) {
            this.units = units;
            this.k = k;
            this.residents = residents;
            this.ages = ages;
            slots = residents.length / HEADS;
        }

        void check(String what, Workbench bench, IndexedLayer layer, float[] scores) {
            int[] now = bench.intValues(layer.residency().residentUnits());
            int[] nowAges = bench.intValues(layer.residency().slotAges());
            int[] selectedSlots = bench.intValues(layer.residency().selectedSlots());
            int[] missUnits = bench.intValues(layer.residency().missUnits());
            int[] missSlots = bench.intValues(layer.residency().missSlots());
            int[] counts = bench.intValues(layer.residency().missCounts());
            for (int h = 0; h < HEADS; h++) {
                String head = what + ", head " + h;
                int width = scores.length / HEADS;
                int from = h * slots;
                BitSet wanted = top(Arrays.copyOfRange(scores, h * width, h * width + units));
                BitSet hits = hits(from, wanted);
                BitSet filled = room(from, hits, wanted.cardinality() - hits.cardinality());
                checkHead(head, now, from, wanted, filled);
                checkMisses(head, now, h, filled, missUnits, missSlots);
                assertThat(counts[h]).as("%s: count of misses", head).isEqualTo(filled.cardinality());
                BitSet selected = (BitSet) hits.clone();
                selected.or(filled);
                checkSelected(head, selected, Arrays.copyOfRange(selectedSlots, h * k, (h + 1) * k));
                for (int s = 0; s < slots; s++) {
                    int age = selected.get(s) ? 0 : Math.min(255, ages[from + s] + 1);
                    assertThat(nowAges[from + s])
                            .as("%s: age of slot %d", head, s)
                            .isEqualTo(age);
                }
                selectedTotal += wanted.cardinality();
                missTotal += filled.cardinality();
            }
            residents = now;
            ages = nowAges;
            assertThat(bench.longValues(layer.residency().counters()))
                    .as("%s: totals of selected units and misses", what)
                    .containsExactly(selectedTotal, missTotal);
        }

        /// Slots that hold a wanted unit already.
        private BitSet hits(int from, BitSet wanted) {
            BitSet hits = new BitSet();
            for (int s = 0; s < slots; s++) {
                int unit = residents[from + s];
                hits.set(s, unit >= 0 && wanted.get(unit));
            }
            return hits;
        }

        /// The slots that make room for `count` misses, one after the other: the first free one, else the first of
        /// the oldest.
        private BitSet room(int from, BitSet hits, int count) {
            int[] candidates = new int[slots];
            for (int s = 0; s < slots; s++) {
                candidates[s] = hits.get(s) ? -1 : residents[from + s] < 0 ? Integer.MAX_VALUE : ages[from + s];
            }
            return highest(candidates, count);
        }

        /// The places of the `count` highest numbers, the lower places among equals.
        private static BitSet highest(int[] numbers, int count) {
            long[] order = new long[numbers.length];
            for (int i = 0; i < order.length; i++) {
                order[i] = ((long) numbers[i] << 32) + (Integer.MAX_VALUE - i);
            }
            Arrays.sort(order);
            BitSet highest = new BitSet();
            for (int n = 0; n < count; n++) {
                highest.set(Integer.MAX_VALUE - (int) order[order.length - 1 - n]);
            }
            return highest;
        }

        /// Every wanted unit is held once, and slots that made no room hold what they held.
        private void checkHead(String what, int[] now, int from, BitSet wanted, BitSet filled) {
            BitSet held = new BitSet();
            for (int s = 0; s < slots; s++) {
                int unit = now[from + s];
                if (unit >= 0) {
                    assertThat(held.get(unit))
                            .as("%s: unit %d is held twice", what, unit)
                            .isFalse();
                    held.set(unit);
                }
                if (!filled.get(s)) {
                    assertThat(unit)
                            .as("%s: slot %d, which makes no room", what, s)
                            .isEqualTo(residents[from + s]);
                }
            }
            held.and(wanted);
            assertThat(held).as("%s: selected units that are held", what).isEqualTo(wanted);
        }

        private void checkMisses(String what, int[] now, int h, BitSet filled, int[] missUnits, int[] missSlots) {
            BitSet told = new BitSet();
            for (int m = 0; m < filled.cardinality(); m++) {
                int slot = missSlots[h * k + m];
                assertThat(now[h * slots + slot])
                        .as("%s: unit of miss %d", what, m)
                        .isEqualTo(missUnits[h * k + m]);
                told.set(slot);
            }
            assertThat(told).as("%s: slots filled by misses", what).isEqualTo(filled);
        }

        private static void checkSelected(String what, BitSet selected, int[] told) {
            int[] expected = new int[told.length];
            Arrays.fill(expected, -1);
            int at = 0;
            for (int slot = selected.nextSetBit(0); slot >= 0; slot = selected.nextSetBit(slot + 1)) {
                expected[at++] = slot;
            }
            Exactly.same(what + ", selected slots", expected, told);
        }

        /// The k highest scores. Bits of numbers without a sign have their order.
        private BitSet top(float[] scores) {
            int[] bits = new int[units];
            Arrays.setAll(bits, u -> Float.floatToIntBits(scores[u]));
            return highest(bits, Math.min(k, units));
        }
    }
}
