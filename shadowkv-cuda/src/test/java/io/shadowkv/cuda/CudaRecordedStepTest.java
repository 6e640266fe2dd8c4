package io.shadowkv.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.op.Backend;
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
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Scoring and selection with the tuned kernels: a recorded step is compared with the same step run
/// directly, and two engines use one device.
@GpuTest
class CudaRecordedStepTest {
    private static final int GUARD = 16;
    private static final int HEADS = 8;
    private static final int GROUP = 4;
    private static final int HEAD_DIM = 128;
    private static final int[] SLOTS = {3, -1, 0};
    private static final int STEPS = 6;

    private final SharedCuda backend = new SharedCuda();

    @AfterEach
    void closeBackend() {
        backend.close();
    }

    /// A table with two sequences, queries, and the outputs of a step.
    private static final class Step {
        private final Workbench bench;
        private final SlotTable<IndexedLayer> table = new SlotTable<>();
        private final StepRows rows;
        private final Tensor queries;
        private final Tensor one;
        private final Tensor scores;

        Step(Workbench bench, Sample queries, IndexedSequence first, IndexedSequence second) {
            this(
                    bench,
                    queries,
                    new int[] {first.sizes.units(), 0, second.sizes.units()},
                    first.cold(bench),
                    second.cold(bench));
        }

        Step(Workbench bench, Sample queries, int[] units, IndexedLayer first, IndexedLayer second) {
            this.bench = bench;
            table.set(SLOTS[0], first);
            table.set(SLOTS[2], second);
            this.rows = TestRows.indexed(SLOTS, units).on(bench);
            this.queries = bench.state(queries);
            this.one = bench.input(Sample.filled(DType.BF16, 0.0625f, 3, HEADS * GROUP, HEAD_DIM));
            this.scores = bench.output(DType.F32, 3, HEADS, Math.max(units[0], units[2]));
        }

        /// Changes the queries in each step with a kernel, so that scoring may start before that
        /// kernel ends.
        void run() {
            bench.operations().dense().add(queries, one);
            bench.operations().shadow().scoreUnits(queries, table, rows, 1 / Math.sqrt(HEAD_DIM), scores);
            bench.operations().shadow().select(scores, table, rows);
        }

        void checkSame(Step other, String what) {
            Exactly.same(what + ", scores", other.bench.values(other.scores), bench.values(scores));
            for (int slot : new int[] {SLOTS[0], SLOTS[2]}) {
                IndexedLayer own = table.get(slot);
                IndexedLayer expected = other.table.get(slot);
                same(
                        other,
                        what + ", selected slots",
                        expected.residency().selectedSlots(),
                        own.residency().selectedSlots());
                same(
                        other,
                        what + ", resident units",
                        expected.residency().residentUnits(),
                        own.residency().residentUnits());
                same(
                        other,
                        what + ", misses",
                        expected.residency().missCounts(),
                        own.residency().missCounts());
            }
        }

        private void same(Step other, String what, Tensor expected, Tensor actual) {
            Exactly.same(what, other.bench.intValues(expected), bench.intValues(actual));
        }
    }

    private static IndexedSequence sequence(Workbench bench, int units, int selected, int slots) {
        return new IndexedSequence(
                bench, new IndexedSequence.Sizes(DType.BF16, 1, HEADS, HEAD_DIM, 16, units, selected, slots));
    }

    private Workbench bench(String description) {
        return new Workbench(backend, DType.BF16, description, GUARD);
    }

    @Test
    void replaysWhatItRunsDirectly() {
        try (Workbench bench = bench("recorded scores and selection")) {
            IndexedSequence first = sequence(bench, 5003, 33, 40);
            IndexedSequence second = sequence(bench, 257, 33, 40);
            Sample queries = bench.normal(DType.BF16, 3, HEADS * GROUP, HEAD_DIM);
            var recorded = new Step(bench, queries, first, second);
            var direct = new Step(bench, queries, first, second);
            for (int step = 0; step < STEPS; step++) {
                backend.replay("a step", recorded::run);
                direct.run();
                recorded.checkSame(direct, "step " + step);
            }
        }
    }

    /// More codes than a block of the selection holds, so that groups are selected first.
    @Test
    void replaysWhatItRunsDirectlyWithTokenCodes() {
        try (Workbench bench = bench("recorded scores and selection of token codes")) {
            IndexedSequence first = sequence(bench, 20_003, 33, 40);
            IndexedSequence second = sequence(bench, 257, 33, 40);
            IndexedLayer.TokenCodes firstCodes = codes(bench, first);
            IndexedLayer.TokenCodes secondCodes = codes(bench, second);
            int[] units = {first.sizes.units(), 0, second.sizes.units()};
            Sample queries = bench.normal(DType.BF16, 3, HEADS * GROUP, HEAD_DIM);
            List<Step> steps = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                steps.add(new Step(
                        bench,
                        queries,
                        units,
                        with(firstCodes, first.cold(bench)),
                        with(secondCodes, second.cold(bench))));
            }
            for (int step = 0; step < STEPS; step++) {
                backend.replay("a step of codes", steps.getFirst()::run);
                steps.getLast().run();
                steps.getFirst().checkSame(steps.getLast(), "step " + step);
            }
        }
    }

    private static IndexedLayer.TokenCodes codes(Workbench bench, IndexedSequence sequence) {
        int capacity = sequence.sizes.capacity();
        int blocks = IndexedLayer.TokenCodes.blocks(capacity);
        int words = IndexedLayer.TokenCodes.words(HEAD_DIM);
        int tokens = IndexedLayer.TokenCodes.BLOCK_TOKENS;
        int[] bits = bench.random().ints((long) HEADS * blocks * words * tokens).toArray();
        return new IndexedLayer.TokenCodes(
                bench.ints(bits, HEADS, blocks, words, tokens),
                bench.input(bench.normal(DType.BF16, HEADS, blocks * tokens)),
                bench.ints(new int[HEADS * capacity], HEADS, capacity));
    }

    private static IndexedLayer with(IndexedLayer.TokenCodes codes, IndexedLayer layer) {
        return new IndexedLayer(codes, layer.keys(), layer.stored(), layer.residency());
    }

    /// The recorded launches have no shared memory for the layer that joins.
    @Test
    void recordsAgainWhereALayerSelectsMoreUnits() {
        try (Workbench bench = bench("a larger selection joins a recorded step")) {
            IndexedSequence first = sequence(bench, 1000, 5, 7);
            IndexedSequence second = sequence(bench, 900, 5, 7);
            IndexedSequence larger = sequence(bench, 1000, 90, 200);
            Sample queries = bench.normal(DType.BF16, 3, HEADS * GROUP, HEAD_DIM);
            var recorded = new Step(bench, queries, first, second);
            var direct = new Step(bench, queries, first, second);
            for (int step = 0; step < 2 * STEPS; step++) {
                if (step == STEPS) {
                    recorded.table.set(SLOTS[0], larger.cold(bench));
                    direct.table.set(SLOTS[0], larger.cold(bench));
                }
                backend.replay("a step that grows", recorded::run);
                direct.run();
                recorded.checkSame(direct, "step " + step);
            }
            assertThat(bench.intValues(recorded.table.get(SLOTS[0]).residency().selectedSlots()))
                    .hasSize(HEADS * 90)
                    .doesNotContain(-1);
        }
    }

    /// More blocks than multiprocessors have fewer threads each.
    @Test
    void manyRowsSelectAsEachRowAlone() {
        int rows = 40;
        int units = 17_001;
        try (Workbench bench = bench("selection of many rows")) {
            var sizes = new IndexedSequence.Sizes(DType.F32, 1, HEADS, 2, 1, units, 40, 50);
            var sequence = new IndexedSequence(bench, sizes);
            var together = new SlotTable<IndexedLayer>();
            var alone = new SlotTable<IndexedLayer>();
            for (int slot = 0; slot < rows; slot++) {
                together.set(slot, sequence.cold(bench));
                alone.set(slot, sequence.cold(bench));
            }
            int[] slots = IntStream.range(0, rows).toArray();
            int[] lengths = IntStream.range(0, rows).map(i -> units - i % 3).toArray();
            StepRows all = TestRows.indexed(slots, lengths).on(bench);
            for (int step = 0; step < 2; step++) {
                Sample scores = bench.normal(DType.F32, rows, HEADS, units);
                for (int i = 0; i < scores.values().length; i++) {
                    // A third are equal.
                    scores.values()[i] = i % 3 == 0 ? 1.5f : Math.abs(scores.values()[i]);
                }
                Tensor placed = bench.input(scores);
                bench.operations().shadow().select(placed, together, all);
                for (int slot = 0; slot < rows; slot++) {
                    StepRows one = TestRows.indexed(new int[] {slot}, new int[] {lengths[slot]})
                            .on(bench);
                    bench.operations().shadow().select(placed.slice(slot, 1), alone, one);
                    Exactly.same(
                            "selected slots of row " + slot,
                            bench.intValues(alone.get(slot).residency().selectedSlots()),
                            bench.intValues(together.get(slot).residency().selectedSlots()));
                    Exactly.same(
                            "resident units of row " + slot,
                            bench.intValues(alone.get(slot).residency().residentUnits()),
                            bench.intValues(together.get(slot).residency().residentUnits()));
                }
            }
        }
    }

    /// The blocks of a scoring kernel wait for each other, so two such kernels must not each hold a
    /// part of the device.
    @Test
    void twoEnginesScoreAtTheSameTime() throws InterruptedException, ExecutionException {
        List<Future<?>> running = new ArrayList<>();
        try (ExecutorService engines = Executors.newFixedThreadPool(2)) {
            for (int engine = 0; engine < 2; engine++) {
                String name = "engine " + engine;
                running.add(engines.submit(() -> scoreOften(name)));
            }
        }
        for (Future<?> engine : running) {
            engine.get();
        }
    }

    private static void scoreOften(String name) {
        try (Backend own = SharedCuda.openDevice();
                Workbench bench = new Workbench(own, DType.BF16, name, GUARD)) {
            IndexedSequence first = sequence(bench, 4001, 33, 40);
            IndexedSequence second = sequence(bench, 3001, 33, 40);
            Sample queries = bench.normal(DType.BF16, 3, HEADS * GROUP, HEAD_DIM);
            var recorded = new Step(bench, queries, first, second);
            var direct = new Step(bench, queries, first, second);
            for (int step = 0; step < 200; step++) {
                own.replay(name, recorded::run);
                direct.run();
            }
            recorded.checkSame(direct, name);
        }
    }
}
