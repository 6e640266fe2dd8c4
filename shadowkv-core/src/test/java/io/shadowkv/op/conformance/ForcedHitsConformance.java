package io.shadowkv.op.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.op.testing.Exactly;
import io.shadowkv.op.testing.IndexedSequence;
import io.shadowkv.op.testing.TestRows;
import io.shadowkv.op.testing.Workbench;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The synthetic selection: scores to the bit, and as many hits as were asked for.
public abstract class ForcedHitsConformance extends BackendConformance {
    private static final int HEADS = 3;

    /// The second sequence has no index, the third row is padding.
    private static final int[] SLOTS = {4, 1, -1, 0, 2};

    private static final int STEPS = 12;
    private static final int WARM_STEPS = 4;

    @Test
    void writesTheSameScoresOnAllBackends() {
        for (int k : List.of(1, 7, 16)) {
            for (int slots : List.of(k, 2 * k + 1)) {
                for (double hitRate : new double[] {0, 0.3, 0.6, 1}) {
                    run(k, slots, new int[] {k, 0, 0, 6 * slots + 1, 300}, hitRate);
                }
            }
        }
    }

    @Test
    void hitsAsOftenAsItIsTold() {
        for (double hitRate : new double[] {0, 0.1, 0.6, 0.9, 1}) {
            checkRate(run(64, 64, new int[] {1000, 0, 0, 257, 4001}, hitRate), hitRate, 1);
        }
        for (double hitRate : new double[] {0, 0.1, 0.6}) {
            checkRate(run(64, 128, new int[] {1000, 0, 0, 500, 4001}, hitRate), hitRate, 2);
        }
    }

    /// @param turns resident units for each selected one
    private static void checkRate(long[] totals, double hitRate, int turns) {
        // A unit in one of C slots is kept with probability hitRate · k / C, independently of the others.
        double expected = totals[0] * hitRate;
        double deviation = Math.sqrt(expected * (1 - hitRate / turns));
        double hits = totals[0] - totals[1];
        assertThat(Math.abs(hits - expected) <= 3 * deviation)
                .as("%d selections resident: %s hits of %d at a rate of %s", turns, hits, totals[0], hitRate)
                .isTrue();
    }

    /// Selected units and misses of all sequences, those of the first steps left out.
    private long[] run(int k, int slots, int[] units, double hitRate) {
        try (Workbench bench =
                workbench("force %s hits, %d of %d slots, %s units", hitRate, k, slots, Arrays.toString(units))) {
            var table = new SlotTable<IndexedLayer>();
            int width = Arrays.stream(units).max().orElseThrow() + 3;
            for (int i = 0; i < SLOTS.length; i++) {
                if (units[i] > 0) {
                    var sizes = new IndexedSequence.Sizes(DType.F32, 1, HEADS, 2, 1, units[i], k, slots);
                    table.set(SLOTS[i], new IndexedSequence(bench, sizes).cold(bench));
                }
            }
            var rows = TestRows.indexed(SLOTS, units);
            StepRows placed = rows.on(bench);
            long[] warm = new long[2];
            for (int step = 0; step < STEPS; step++) {
                warm = step == WARM_STEPS ? totals(bench, table, units) : warm;
                Tensor scores = bench.output(DType.F32, SLOTS.length, HEADS, width);
                float[] expected = expected(bench, table, units, width, hitRate);
                bench.operations().shadow().forceHits(scores, table, placed, hitRate);
                float[] actual = bench.values(scores);
                rows.hidePadding(expected);
                rows.hidePadding(actual);
                Exactly.same(bench.description() + ", step " + step, expected, actual);
                bench.operations().shadow().select(scores, table, placed);
            }
            long[] all = totals(bench, table, units);
            return new long[] {all[0] - warm[0], all[1] - warm[1]};
        }
    }

    private static long[] totals(Workbench bench, SlotTable<IndexedLayer> table, int[] units) {
        long[] sums = new long[2];
        for (int i = 0; i < SLOTS.length; i++) {
            if (units[i] > 0) {
                long[] own = bench.longValues(table.get(SLOTS[i]).residency().counters());
                sums[0] += own[0];
                sums[1] += own[1];
            }
        }
        return sums;
    }

    /// The formula of `ForcedHits`, written again; NaN where nothing is to be written.
    private static float[] expected(
            Workbench bench, SlotTable<IndexedLayer> table, int[] units, int width, double hitRate) {
        float[] scores = new float[SLOTS.length * HEADS * width];
        Arrays.fill(scores, Float.NaN);
        for (int i = 0; i < SLOTS.length; i++) {
            if (units[i] == 0) {
                continue;
            }
            IndexedLayer layer = table.get(SLOTS[i]);
            int[] residents = bench.intValues(layer.residency().residentUnits());
            int step = (int) bench.longValues(layer.residency().counters())[0];
            double threshold = Math.floor(hitRate * layer.selectedUnits() / layer.slots() * 4294967296.0);
            for (int h = 0; h < HEADS; h++) {
                int base = murmur(step + 0x9E3779B9 * (h + 1));
                int at = (i * HEADS + h) * width;
                for (int u = 0; u < units[i]; u++) {
                    int hash = murmur((base ^ 0x80000000) + u);
                    scores[at + u] = (float) ((Integer.toUnsignedLong(hash) / 512 + 0.5) / 8388608);
                }
                for (int s = 0; s < layer.slots(); s++) {
                    int unit = residents[h * layer.slots() + s];
                    if (unit >= 0) {
                        boolean isKept = Integer.toUnsignedLong(murmur(base + s)) < threshold;
                        scores[at + unit] = isKept ? 2 : 0;
                    }
                }
            }
        }
        return scores;
    }

    private static int murmur(int value) {
        int h = value;
        h ^= h >>> 16;
        h *= 0x85ebca6b;
        h ^= h >>> 13;
        h *= 0xc2b2ae35;
        h ^= h >>> 16;
        return h;
    }
}
