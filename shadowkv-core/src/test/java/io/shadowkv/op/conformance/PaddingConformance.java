package io.shadowkv.op.conformance;

import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.AttentionOperations;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.Rotary;
import io.shadowkv.op.ShadowOperations;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.op.testing.Exactly;
import io.shadowkv.op.testing.IndexedSequence;
import io.shadowkv.op.testing.RotaryTable;
import io.shadowkv.op.testing.Sample;
import io.shadowkv.op.testing.TestMisses;
import io.shadowkv.op.testing.TestRows;
import io.shadowkv.op.testing.Workbench;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/// Waves that are padding from the first row to the last: nothing of the sequences in the table is read or written.
/// Waves in which padding stands among others are in each operation's own tests.
public abstract class PaddingConformance extends BackendConformance {
    private static final int ROWS = 3;
    private static final int HEADS = 2;
    private static final int HEAD_DIM = 64;
    private static final IndexedSequence.Sizes SIZES =
            new IndexedSequence.Sizes(DType.BF16, 8, HEADS, HEAD_DIM, 16, 12, 5, 7);

    /// One sequence in slot 0, which a read before the start of a table may return.
    private record Case(
            Workbench bench, IndexedSequence sequence, IndexedSequence.Slots slots, SlotTable<IndexedLayer> layers) {
        static Case of(Workbench bench) {
            var sequence = new IndexedSequence(bench, SIZES);
            var slots = TestMisses.of(sequence, 2).slots();
            var layers = new SlotTable<IndexedLayer>();
            layers.set(0, sequence.on(bench, slots));
            return new Case(bench, sequence, slots, layers);
        }

        StepRows rows() {
            int[] padding = new int[ROWS];
            Arrays.fill(padding, -1);
            int[] zeros = new int[ROWS];
            return new TestRows(padding, zeros, zeros, zeros, zeros).on(bench);
        }

        SlotTable<AttendedRows> attended() {
            var attended = new SlotTable<AttendedRows>();
            attended.set(0, layers.get(0).residency().attended());
            return attended;
        }

        Sample garbage(int heads) {
            return Sample.filled(bench.activationType(), Float.NaN, ROWS, heads, HEAD_DIM);
        }

        void checkUntouched() {
            IndexedLayer layer = layers.get(0);
            String what = bench.description();
            AttendedRows attended = layer.residency().attended();
            Exactly.same(what + ", keys", sequence.attendedKeys.values(), bench.values(attended.keys()));
            Exactly.same(what + ", values", sequence.attendedValues.values(), bench.values(attended.values()));
            Exactly.same(
                    what + ", residents",
                    slots.residents(),
                    bench.intValues(layer.residency().residentUnits()));
            Exactly.same(
                    what + ", ages",
                    slots.ages(),
                    bench.intValues(layer.residency().slotAges()));
            Exactly.same(
                    what + ", selected",
                    slots.selected(),
                    bench.intValues(layer.residency().selectedSlots()));
            Exactly.same(
                    what + ", missing units",
                    slots.missUnits(),
                    bench.intValues(layer.residency().missUnits()));
            Exactly.same(
                    what + ", their slots",
                    slots.missSlots(),
                    bench.intValues(layer.residency().missSlots()));
            Exactly.same(
                    what + ", miss counts",
                    slots.missCounts(),
                    bench.intValues(layer.residency().missCounts()));
            org.assertj.core.api.Assertions.assertThat(
                            bench.longValues(layer.residency().counters()))
                    .as(what)
                    .containsOnly(0);
        }
    }

    @Test
    void passesOverPaddingInAttention() {
        try (Workbench bench = workbench("attention of padding")) {
            Case padding = Case.of(bench);
            AttentionOperations attention = bench.operations().attention();
            Tensor newRows = bench.input(padding.garbage(HEADS));
            Tensor queries = bench.input(padding.garbage(4 * HEADS));
            Tensor out = bench.output(bench.activationType(), ROWS, 4 * HEADS, HEAD_DIM);
            attention.append(newRows, newRows, padding.attended(), padding.rows());
            attention.decode(queries, padding.attended(), padding.rows(), 1, out);
            attention.decodeSelected(queries, padding.layers(), padding.rows(), 1, out);
            padding.checkUntouched();
        }
    }

    @Test
    void passesOverPaddingInSelection() {
        try (Workbench bench = workbench("selection of padding")) {
            Case padding = Case.of(bench);
            ShadowOperations shadow = bench.operations().shadow();
            Tensor queries = bench.input(padding.garbage(4 * HEADS));
            Tensor scores = bench.output(DType.F32, ROWS, HEADS, SIZES.capacity());
            shadow.scoreUnits(queries, padding.layers(), padding.rows(), 1, scores);
            shadow.forceHits(scores, padding.layers(), padding.rows(), 0.5);
            shadow.select(scores, padding.layers(), padding.rows());
            padding.checkUntouched();
        }
    }

    @Test
    void passesOverPaddingWhereMissesAreFilled() {
        try (Workbench bench = workbench("fetch and rebuild of padding")) {
            Case padding = Case.of(bench);
            ShadowOperations shadow = bench.operations().shadow();
            shadow.fetchValues(padding.layers(), padding.rows());
            Rotary rotary = bench.rotary(RotaryTable.of(SIZES.tokens(), HEAD_DIM, false, 1));
            shadow.rebuildKeys(padding.layers(), padding.rows(), rotary);
            padding.checkUntouched();
        }
    }

    @Test
    void neverLooksIntoAnEmptyTable() {
        try (Workbench bench = workbench("padding over empty tables")) {
            Case padding = Case.of(bench);
            var none = new SlotTable<IndexedLayer>();
            Tensor newRows = bench.input(padding.garbage(HEADS));
            Tensor queries = bench.input(padding.garbage(4 * HEADS));
            Tensor out = bench.output(bench.activationType(), ROWS, 4 * HEADS, HEAD_DIM);
            bench.operations().attention().append(newRows, newRows, new SlotTable<>(), padding.rows());
            bench.operations().attention().decode(queries, new SlotTable<>(), padding.rows(), 1, out);
            bench.operations().attention().decodeSelected(queries, none, padding.rows(), 1, out);
            bench.operations().shadow().fetchValues(none, padding.rows());
        }
    }

    @Test
    void rotatesPaddingToPositionZero() {
        try (Workbench bench = workbench("rotation of padding")) {
            Tensor rows = bench.state(Sample.filled(bench.activationType(), 2, ROWS, HEADS, HEAD_DIM));
            Tensor positions = bench.ints(new int[ROWS], ROWS);
            bench.operations().dense().rotate(rows, positions, bench.rotary(RotaryTable.of(1, HEAD_DIM, false, 1)));
            org.assertj.core.api.Assertions.assertThat(bench.values(rows)).containsOnly(2);
        }
    }
}
