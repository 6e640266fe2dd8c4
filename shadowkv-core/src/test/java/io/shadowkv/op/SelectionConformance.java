package io.shadowkv.op;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Which units are selected, which of them are hits, and where misses go. Sets are compared, and that everything
/// written is consistent; which miss gets which freed slot is the backend's choice.
public abstract class SelectionConformance extends BackendConformance {
    private static final int HEADS = 3;
    private static final int[] SLOTS = {5, 1, 2, 7, 0};

    /// Every kind of score: distinct, full of ties, all the same, as small as a softmax over a long context
    /// makes them.
    private enum Scores {
        DISTINCT,
        TIED,
        EQUAL,
        TINY,
        ZERO_MOSTLY;

        float next(Workbench bench) {
            return switch (this) {
                case DISTINCT -> bench.random().nextFloat();
                case TIED -> bench.random().nextInt(4) / 4f;
                case EQUAL -> 0.25f;
                case TINY -> bench.random().nextFloat() * 1e-38f;
                case ZERO_MOSTLY ->
                    bench.random().nextInt(20) == 0 ? bench.random().nextFloat() : 0;
            };
        }
    }

    @Test
    void selectsTheTopUnitsStepAfterStep() {
        for (Scores kind : Scores.values()) {
            for (int slots : List.of(1, 7, 8, 16, 33)) {
                select(kind, slots, new int[] {slots, 0, slots + 1, 3 * slots + 5, Math.max(1, slots / 2)});
            }
        }
    }

    @Test
    void selectsAmongTileEdges() {
        for (int units : List.of(31, 32, 33, 63, 64, 65, 127, 255, 256, 257)) {
            select(Scores.DISTINCT, 9, new int[] {units, units - 1, 0, units + 1, 9});
        }
    }

    @Test
    void selectsAmongMany() {
        select(Scores.DISTINCT, 256, new int[] {16_000, 0, 257, 1_009, 2_048});
        select(Scores.TIED, 256, new int[] {4_000, 0, 257, 1_009, 2_048});
    }

    private void select(Scores kind, int slots, int[] units) {
        try (Workbench bench = workbench("select %d of %s units, %s scores", slots, Arrays.toString(units), kind)) {
            var table = new SlotTable<IndexedLayer>();
            int width = Arrays.stream(units).max().orElseThrow() + 3;
            for (int i = 0; i < SLOTS.length; i++) {
                if (units[i] > 0) {
                    var sizes = new IndexedSequence.Sizes(DType.F32, 1, HEADS, 2, 1, units[i], slots);
                    table.set(SLOTS[i], new IndexedSequence(bench, sizes).cold(bench));
                }
            }
            StepRows rows = TestRows.indexed(SLOTS, units).on(bench);
            Expected[] expected = new Expected[SLOTS.length];
            Arrays.setAll(expected, i -> new Expected(units[i], slots));
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
                    assertThat(bench.intValues(table.get(SLOTS[i]).missCounts()))
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

    /// What must hold for one sequence, from step to step.
    private static final class Expected {
        private final int units;
        private final int slots;
        private int[] residents;
        private long selectedTotal;
        private long missTotal;

        Expected(int units, int slots) {
            this.units = units;
            this.slots = slots;
            residents = new int[HEADS * slots];
            Arrays.fill(residents, -1);
        }

        void check(String what, Workbench bench, IndexedLayer layer, float[] scores) {
            int[] now = bench.intValues(layer.residentUnits());
            int[] missUnits = bench.intValues(layer.missUnits());
            int[] missSlots = bench.intValues(layer.missSlots());
            int[] counts = bench.intValues(layer.missCounts());
            for (int h = 0; h < HEADS; h++) {
                int width = scores.length / HEADS;
                BitSet wanted = top(Arrays.copyOfRange(scores, h * width, h * width + units));
                int from = h * slots;
                checkHead(what + ", head " + h, wanted, Arrays.copyOfRange(now, from, from + slots), from);
                int misses = 0;
                for (int s = 0; s < slots; s++) {
                    misses += now[from + s] >= 0 && now[from + s] != residents[from + s] ? 1 : 0;
                }
                assertThat(counts[h])
                        .as("%s, head %d: count of misses", what, h)
                        .isEqualTo(misses);
                checkMisses(what + ", head " + h, now, from, misses, missUnits, missSlots);
                selectedTotal += wanted.cardinality();
                missTotal += misses;
            }
            residents = now;
            assertThat(bench.longValues(layer.counters()))
                    .as("%s: totals of selected units and misses", what)
                    .containsExactly(selectedTotal, missTotal);
        }

        /// The slots hold the wanted units, each once; whatever was resident and is wanted has not moved.
        private void checkHead(String what, BitSet wanted, int[] now, int from) {
            BitSet held = new BitSet();
            int empty = 0;
            for (int unit : now) {
                if (unit == -1) {
                    empty++;
                } else {
                    assertThat(held.get(unit))
                            .as("%s: unit %d is held twice", what, unit)
                            .isFalse();
                    held.set(unit);
                }
            }
            assertThat(held).as("%s: selected units", what).isEqualTo(wanted);
            assertThat(empty).as("%s: empty slots", what).isEqualTo(slots - wanted.cardinality());
            for (int s = 0; s < slots; s++) {
                int before = residents[from + s];
                if (before >= 0 && wanted.get(before)) {
                    assertThat(now[s]).as("%s: slot %d of a hit", what, s).isEqualTo(before);
                }
                if (units < slots) {
                    assertThat(now[s] >= 0).as("%s: slot %d is filled", what, s).isEqualTo(s < units);
                }
            }
        }

        private static void checkMisses(String what, int[] now, int from, int count, int[] missUnits, int[] missSlots) {
            BitSet filled = new BitSet();
            for (int m = 0; m < count; m++) {
                int slot = missSlots[from + m];
                assertThat(now[from + slot]).as("%s: unit of miss %d", what, m).isEqualTo(missUnits[from + m]);
                filled.set(slot);
            }
            assertThat(filled.cardinality())
                    .as("%s: slots filled by misses", what)
                    .isEqualTo(count);
        }

        private BitSet top(float[] scores) {
            BitSet chosen = new BitSet();
            for (int n = 0; n < Math.min(slots, units); n++) {
                int best = -1;
                for (int u = 0; u < units; u++) {
                    if (!chosen.get(u) && (best < 0 || scores[u] > scores[best])) {
                        best = u;
                    }
                }
                chosen.set(best);
            }
            return chosen;
        }
    }
}
