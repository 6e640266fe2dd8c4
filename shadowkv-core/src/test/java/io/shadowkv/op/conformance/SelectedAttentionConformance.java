package io.shadowkv.op.conformance;

import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.testing.IndexedSequence;
import io.shadowkv.op.testing.Judge;
import io.shadowkv.op.testing.Placement;
import io.shadowkv.op.testing.PlainAttention;
import io.shadowkv.op.testing.Sample;
import io.shadowkv.op.testing.TestRows;
import io.shadowkv.op.testing.Workbench;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Attention over outliers, the selected ones of the resident units, and recent rows. Whatever must not be read is
/// NaN: units that are resident but not selected, and rows behind the last.
public abstract class SelectedAttentionConformance extends BackendConformance {
    private final Judge judge = new Judge();

    /// A row of the wave: units selected in each head, and rows attended behind the region.
    private record Row(int selected, int recent) {
        static final Row PADDING = new Row(-1, 0);

        boolean isPadding() {
            return selected < 0;
        }
    }

    @Test
    void readsTheSelectedUnits() {
        int pair = 0;
        for (int headDim : HEAD_DIMS) {
            for (DType type : STORAGE_TYPES) {
                for (int groupSize : GROUP_SIZES) {
                    int unitTokens = cycle(List.of(8, 1, 5), pair);
                    int slots = cycle(List.of(6, 9, 13, 24), pair++);
                    var sizes = new IndexedSequence.Sizes(type, unitTokens, 2, headDim, 1, 30, 6, slots, 5, 20);
                    decode(sizes, groupSize, 1, new Row(6, 1), Row.PADDING, new Row(4, 20), new Row(6, 17));
                }
            }
        }
    }

    @Test
    void readsOverTileEdges() {
        for (int k : List.of(1, 2, 4, 7, 8, 9, 16, 17)) {
            for (int firstRow : List.of(0, 1, 63, 64, 65)) {
                var sizes = new IndexedSequence.Sizes(DType.BF16, 8, 2, 128, 1, 3 * k, k, k + k / 2, firstRow, 65);
                decode(sizes, 4, 1, new Row(k, 1), new Row(Math.max(1, k / 2), 64), Row.PADDING, new Row(k, 65));
            }
        }
    }

    @Test
    void readsManyUnits() {
        decode(
                new IndexedSequence.Sizes(DType.BF16, 8, 2, 128, 1, 300, 256, 300, 384, 320),
                4,
                1,
                Row.PADDING,
                new Row(256, 33),
                new Row(256, 320));
        decode(
                new IndexedSequence.Sizes(DType.F16, 1, 2, 64, 1, 1500, 1024, 1024, 0, 3),
                7,
                1,
                new Row(1024, 3),
                new Row(1023, 1));
    }

    @Test
    void survivesLargeScores() {
        decode(
                new IndexedSequence.Sizes(DType.F32, 8, 2, 64, 1, 30, 6, 9, 5, 20),
                4,
                300,
                new Row(6, 3),
                new Row(5, 20));
    }

    private void decode(IndexedSequence.Sizes sizes, int groupSize, float sharpness, Row... wave) {
        try (Workbench bench = workbench(
                "decode %s over %s, group %d, scores times %s", sizes, Arrays.toString(wave), groupSize, sharpness)) {
            int[] slots = new int[wave.length];
            int[] attended = new int[wave.length];
            int[] units = new int[wave.length];
            IndexedSequence[] sequences = new IndexedSequence[wave.length];
            int[][] selected = new int[wave.length][];
            Sample queries =
                    bench.normal(bench.activationType(), wave.length, sizes.heads() * groupSize, sizes.headDim());
            for (int i = 0; i < wave.length; i++) {
                sequences[i] = new IndexedSequence(bench, sizes);
                slots[i] = wave[i].isPadding() ? -1 : 2 * (wave.length - i) - i % 2;
                attended[i] = wave[i].isPadding() ? 0 : sequences[i].endRow() + wave[i].recent();
                units[i] = wave[i].isPadding() ? 0 : sizes.units();
                selected[i] = choose(bench, sizes, wave[i].selected());
                poison(sequences[i], selected[i], attended[i]);
            }
            int[] last =
                    Arrays.stream(attended).map(count -> Math.max(0, count - 1)).toArray();
            var rows = new TestRows(slots, last, last, attended, units);
            double scale = sharpness / Math.sqrt(sizes.headDim());
            Tensor out = bench.output(bench.activationType(), queries.extents());
            bench.operations()
                    .attention()
                    .decodeSelected(
                            bench.input(queries), table(bench, slots, sequences, selected), rows.on(bench), scale, out);
            Tensor exact = judge.output(queries.extents());
            judge.operations()
                    .attention()
                    .decodeSelected(
                            judge.input(queries),
                            table(judge, slots, sequences, selected),
                            rows.on(judge),
                            scale,
                            exact);

            float[] plain = new float[queries.values().length];
            for (int i = 0; i < wave.length; i++) {
                if (!wave[i].isPadding()) {
                    plainRow(queries, i, sequences[i], selected[i], attended[i], (float) scale, plain);
                }
            }
            double[] wanted = Judge.values(exact);
            float[] actual = bench.values(out);
            rows.hidePadding(wanted);
            rows.hidePadding(actual);
            AttentionConformance.closeness(bench, sharpness).check(wanted, plain, actual);
        }
    }

    /// For each head the ascending slots of `count` units, then -1.
    private static int[] choose(Workbench bench, IndexedSequence.Sizes sizes, int count) {
        int k = sizes.selected();
        int[] selected = new int[sizes.heads() * k];
        Arrays.fill(selected, -1);
        for (int h = 0; h < sizes.heads(); h++) {
            int left = Math.max(0, count);
            int at = h * k;
            for (int s = 0; s < sizes.slots(); s++) {
                if (bench.random().nextInt(sizes.slots() - s) < left) {
                    selected[at++] = s;
                    left--;
                }
            }
        }
        return selected;
    }

    private static void poison(IndexedSequence sequence, int[] selected, int attended) {
        var sizes = sequence.sizes;
        for (int h = 0; h < sizes.heads(); h++) {
            boolean[] isRead = new boolean[sizes.attendedRows()];
            for (int row : read(sequence, selected, h, attended)) {
                isRead[row] = true;
            }
            for (int row = 0; row < isRead.length; row++) {
                if (!isRead[row]) {
                    int at = (h * sizes.attendedRows() + row) * sizes.headDim();
                    Arrays.fill(sequence.attendedKeys.values(), at, at + sizes.headDim(), Float.NaN);
                    Arrays.fill(sequence.attendedValues.values(), at, at + sizes.headDim(), Float.NaN);
                }
            }
        }
    }

    /// Rows that head h reads.
    private static int[] read(IndexedSequence sequence, int[] selected, int h, int attended) {
        var sizes = sequence.sizes;
        int[] rows = new int[sizes.attendedRows()];
        int count = 0;
        for (int row = 0; row < attended; row++) {
            int slot = row < sizes.firstRow() ? -1 : (row - sizes.firstRow()) / sizes.unitTokens();
            boolean isUnit = slot >= 0 && slot < sizes.slots();
            boolean isChosen = Arrays.stream(selected, h * sizes.selected(), (h + 1) * sizes.selected())
                    .anyMatch(chosen -> chosen == slot);
            if (!isUnit || isChosen) {
                rows[count++] = row;
            }
        }
        return Arrays.copyOf(rows, count);
    }

    private static SlotTable<IndexedLayer> table(
            Placement side, int[] slots, IndexedSequence[] sequences, int[][] selected) {
        var table = new SlotTable<IndexedLayer>();
        for (int i = 0; i < slots.length; i++) {
            if (slots[i] >= 0) {
                var cold = IndexedSequence.Slots.cold(sequences[i].sizes);
                var chosen = new IndexedSequence.Slots(
                        cold.residents(),
                        cold.ages(),
                        selected[i],
                        cold.missUnits(),
                        cold.missSlots(),
                        cold.missCounts());
                table.set(slots[i], sequences[i].on(side, chosen));
            }
        }
        return table;
    }

    /// Gathers the rows that are read, then attends to all of them.
    private static void plainRow(
            Sample queries, int i, IndexedSequence sequence, int[] selected, int attended, float scale, float[] out) {
        var sizes = sequence.sizes;
        int queryHeads = queries.extent(1);
        int headDim = sizes.headDim();
        for (int q = 0; q < queryHeads; q++) {
            int h = q / (queryHeads / sizes.heads());
            int[] rows = read(sequence, selected, h, attended);
            int at = (i * queryHeads + q) * headDim;
            float[] query = Arrays.copyOfRange(queries.values(), at, at + headDim);
            float[] sum = PlainAttention.attend(
                    query,
                    gather(sequence.attendedKeys, h, rows),
                    gather(sequence.attendedValues, h, rows),
                    0,
                    rows.length,
                    scale);
            System.arraycopy(sum, 0, out, at, headDim);
        }
    }

    private static Sample gather(Sample region, int h, int[] rows) {
        int headDim = region.extent(2);
        float[] gathered = new float[rows.length * headDim];
        for (int j = 0; j < rows.length; j++) {
            int from = (h * region.extent(1) + rows[j]) * headDim;
            System.arraycopy(region.values(), from, gathered, j * headDim, headDim);
        }
        return new Sample(region.dtype(), gathered, 1, rows.length, headDim);
    }
}
