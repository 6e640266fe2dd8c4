package io.shadowkv.op.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.op.testing.Closeness;
import io.shadowkv.op.testing.Exactly;
import io.shadowkv.op.testing.IndexedSequence;
import io.shadowkv.op.testing.Judge;
import io.shadowkv.op.testing.Placement;
import io.shadowkv.op.testing.PlainAttention;
import io.shadowkv.op.testing.RotaryTable;
import io.shadowkv.op.testing.Sample;
import io.shadowkv.op.testing.TestMisses;
import io.shadowkv.op.testing.TestRows;
import io.shadowkv.op.testing.Workbench;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/// ShadowKV's decode step: scores, and the fetch and rebuild of what was missing. Selection is
/// [SelectionConformance]'s.
public abstract class ShadowStepConformance extends BackendConformance {
    /// Slots of a wave's sequences. Among them stand a row without an index, whose slot holds nothing, and a
    /// padding row; both have no units.
    private static final int[] SLOTS = {3, 6, -1, 0, 4};

    private final Judge judge = new Judge();

    @Test
    void scoresLandmarksOfDifferentLengths() {
        int pair = 0;
        List<int[]> units = List.of(
                new int[] {1, 0, 0, 7, 33}, new int[] {8, 0, 0, 9, 31}, new int[] {15, 0, 0, 64, 17}, new int[] {
                    65, 0, 0, 3, 128
                });
        for (int headDim : HEAD_DIMS) {
            for (DType type : STORAGE_TYPES) {
                for (int groupSize : GROUP_SIZES) {
                    score(type, headDim, groupSize, cycle(units, pair++), 1);
                }
            }
        }
    }

    @Test
    void scoresManyLandmarks() {
        score(DType.BF16, 128, 4, new int[] {4001, 0, 0, 2003, 3001}, 1);
    }

    @Test
    void survivesLargeScores() {
        score(DType.F32, 64, 4, new int[] {40, 0, 0, 9, 33}, 300);
        score(DType.BF16, 80, 7, new int[] {40, 0, 0, 9, 33}, 300);
    }

    private void score(DType type, int headDim, int groupSize, int[] units, float sharpness) {
        try (Workbench bench = workbench(
                "scores of %s landmarks, %s, head dim %d, group %d, times %s",
                Arrays.toString(units), type, headDim, groupSize, sharpness)) {
            int heads = 2;
            IndexedSequence[] sequences = new IndexedSequence[SLOTS.length];
            for (int i = 0; i < SLOTS.length; i++) {
                sequences[i] =
                        new IndexedSequence(bench, new IndexedSequence.Sizes(type, 1, heads, headDim, 1, units[i], 1));
            }
            var rows = TestRows.indexed(SLOTS, units);
            int width = Arrays.stream(units).max().orElseThrow() + 2;
            Sample queries = bench.normal(bench.activationType(), SLOTS.length, heads * groupSize, headDim);
            int row = queries.values().length / SLOTS.length;
            for (int i = 0; i < SLOTS.length; i++) {
                if (units[i] == 0) {
                    Arrays.fill(queries.values(), i * row, (i + 1) * row, Float.NaN);
                }
            }
            Sample poison = Sample.filled(DType.F32, Float.NaN, SLOTS.length, heads, width);
            double scale = sharpness / Math.sqrt(headDim);
            Tensor scores = bench.state(poison);
            bench.operations()
                    .shadow()
                    .scoreUnits(bench.input(queries), cold(bench, sequences), rows.on(bench), scale, scores);
            Tensor exact = judge.state(poison);
            judge.operations()
                    .shadow()
                    .scoreUnits(judge.input(queries), cold(judge, sequences), rows.on(judge), scale, exact);
            float[] plain = plainScores(queries, sequences, units, width, (float) scale);
            // A rounding of a score before softmax moves the result by that rounding times the score.
            new Closeness(bench.description(), DType.F32, largest(plain) * (1 + 4 * sharpness))
                    .check(Judge.values(exact), plain, bench.values(scores));
        }
    }

    private static double largest(float[] scores) {
        double largest = 0;
        for (float score : scores) {
            largest = Float.isNaN(score) ? largest : Math.max(largest, score);
        }
        return largest;
    }

    private static SlotTable<IndexedLayer> cold(Placement side, IndexedSequence[] sequences) {
        var table = new SlotTable<IndexedLayer>();
        for (int i = 0; i < SLOTS.length; i++) {
            if (sequences[i].sizes.units() > 0) {
                table.set(SLOTS[i], sequences[i].cold(side));
            }
        }
        return table;
    }

    /// NaN where nothing is to be written.
    private static float[] plainScores(
            Sample queries, IndexedSequence[] sequences, int[] units, int width, float scale) {
        int queryHeads = queries.extent(1);
        int headDim = queries.extent(2);
        int heads = sequences[0].sizes.heads();
        float[] scores = new float[units.length * heads * width];
        Arrays.fill(scores, Float.NaN);
        for (int i = 0; i < units.length; i++) {
            for (int q = 0; q < queryHeads; q++) {
                int h = q / (queryHeads / heads);
                int at = (i * queryHeads + q) * headDim;
                float[] query = Arrays.copyOfRange(queries.values(), at, at + headDim);
                Sample landmarks = sequences[i].landmarks;
                float[] weights = PlainAttention.weights(
                        query, landmarks.values(), h * landmarks.extent(1) * headDim, units[i], scale);
                for (int u = 0; u < units[i]; u++) {
                    int to = (i * heads + h) * width + u;
                    scores[to] = Float.isNaN(scores[to]) ? weights[u] : Math.max(scores[to], weights[u]);
                }
            }
        }
        return scores;
    }

    @Test
    void fillsTheSlotsOfMissesWithTheirValuesAndKeys() {
        int pair = 0;
        for (int headDim : HEAD_DIMS) {
            for (DType type : STORAGE_TYPES) {
                for (int unitTokens : List.of(1, 8)) {
                    boolean interleaved = pair % 2 == 0;
                    int rotaryDim = pair % 3 == 0 ? headDim / 4 * 2 : headDim;
                    int slots = pair % 5 == 0 ? 8 : 5;
                    int rank = cycle(List.of(1, 16, 33, 160), pair++);
                    double scaling = pair % 4 == 0 ? 1.19 : 1;
                    var table = RotaryTable.of(2 * 12 * unitTokens + 1, rotaryDim, interleaved, scaling);
                    fill(new IndexedSequence.Sizes(type, unitTokens, 2, headDim, rank, 12, 5, slots), table);
                }
            }
        }
    }

    @Test
    void fillsManySlots() {
        var table = RotaryTable.of(2 * 301 * 8 + 1, 128, false, 1);
        fill(new IndexedSequence.Sizes(DType.BF16, 8, 8, 128, 160, 301, 65), table);
        fill(new IndexedSequence.Sizes(DType.BF16, 8, 4, 128, 160, 301, 65, 130), table);
    }

    private void fill(IndexedSequence.Sizes sizes, RotaryTable rotary) {
        try (Workbench bench = workbench("fetch and rebuild, %s, rotating %d", sizes, rotary.rotaryDim())) {
            var rows = TestRows.indexed(SLOTS, new int[] {sizes.units(), 0, 0, sizes.units(), sizes.units()});
            var near = new SlotTable<IndexedLayer>();
            var exact = new SlotTable<IndexedLayer>();
            List<TestMisses> misses = new ArrayList<>();
            for (int i = 0; i < SLOTS.length; i++) {
                if (rows.units()[i] > 0) {
                    // The first row has no miss in its first head, the others have more and more.
                    TestMisses own = TestMisses.of(new IndexedSequence(bench, sizes), i);
                    misses.add(own);
                    near.set(SLOTS[i], ValueStoreConformance.inExtents(bench, own.on(bench), i));
                    exact.set(SLOTS[i], own.on(judge));
                }
            }
            bench.operations().shadow().fetchValues(near, rows.on(bench));
            bench.operations().shadow().rebuildKeys(near, rows.on(bench), bench.rotary(rotary));
            judge.operations().shadow().rebuildKeys(exact, rows.on(judge), judge.rotary(rotary));
            int next = 0;
            for (int i = 0; i < SLOTS.length; i++) {
                if (rows.units()[i] > 0) {
                    String what = bench.description() + ", slot " + SLOTS[i];
                    AttendedRows filled = near.get(SLOTS[i]).residency().attended();
                    Tensor exactKeys =
                            exact.get(SLOTS[i]).residency().attended().keys();
                    check(what, misses.get(next++), rotary, exactKeys, bench, filled);
                }
            }
        }
    }

    private static void check(
            String what,
            TestMisses misses,
            RotaryTable rotary,
            Tensor exactKeys,
            Workbench bench,
            AttendedRows filled) {
        var sizes = misses.sequence().sizes;
        float[] values = misses.fetched(misses.sequence().storedValues.values());
        Exactly.same(what + ", values", values, bench.values(filled.values()));
        float[] keys = bench.values(filled.keys());
        new Closeness(what + ", keys", sizes.type(), 2 + 5 * sizes.rank())
                .check(Judge.values(exactKeys), misses.rebuilt(rotary), keys);
        misses.checkOthersUntouched(what, keys);
    }

    @Test
    void doesNothingWhereNoRowIsIndexed() {
        try (Workbench bench = workbench("a wave without indexed rows")) {
            var empty = new SlotTable<IndexedLayer>();
            StepRows rows = TestRows.indexed(new int[] {2, 0}, new int[2]).on(bench);
            Tensor queries = bench.input(bench.normal(bench.activationType(), 2, 4, 8));
            Tensor scores = bench.output(DType.F32, 2, 2, 5);
            bench.operations().shadow().scoreUnits(queries, empty, rows, 1, scores);
            bench.operations().shadow().select(scores, empty, rows);
            bench.operations().shadow().fetchValues(empty, rows);
            bench.operations().shadow().rebuildKeys(empty, rows, bench.rotary(RotaryTable.of(4, 8, false, 1)));

            assertThat(bench.values(scores)).containsOnly(Float.NaN);
        }
    }
}
