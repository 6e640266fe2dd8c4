package io.shadowkv.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.TinyShape;
import io.shadowkv.cache.DecodeCache;
import io.shadowkv.cache.SelectionListener;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.StepRows;
import io.shadowkv.op.reference.ReferenceBackend;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// The order in which the parts of a step reach the cache.
class DecodePassTest {
    private static final int ROWS = 5;
    private static final DecoderSpec SHAPE = TinyShape.llama(3);

    @Test
    void rowsStayTogetherWhereNothingIsFetched() {
        assertThat(calls(DecodeCache.Division.NONE, 1))
                .containsExactly(
                        "append 0 0-4",
                        "choose 0 0-4",
                        "attend 0 0-4",
                        "append 1 0-4",
                        "choose 1 0-4",
                        "attend 1 0-4",
                        "append 2 0-4",
                        "choose 2 0-4",
                        "attend 2 0-4");
    }

    @Test
    void partsAreChosenBeforeTheFirstIsAttended() {
        assertThat(calls(new DecodeCache.Division(2, 2, false), 1))
                .containsExactly(
                        "append 0 0-4",
                        "choose 0 0-4",
                        "attend 0 0-4",
                        "append 1 0-4",
                        "choose 1 0-4",
                        "attend 1 0-4",
                        "append 2 0-4",
                        "choose 2 0-1",
                        "choose 2 2-4",
                        "attend 2 0-1",
                        "attend 2 2-4");
    }

    /// The next layer's choice of a part comes before the other one is attended: its fetch has that time.
    @Test
    void partsTakeTurns() {
        assertThat(calls(new DecodeCache.Division(1, 2, true), 1))
                .containsExactly(
                        "append 0 0-4",
                        "choose 0 0-4",
                        "attend 0 0-4",
                        "append 1 0-1",
                        "choose 1 0-1",
                        "append 1 2-4",
                        "choose 1 2-4",
                        "attend 1 0-1",
                        "append 2 0-1",
                        "choose 2 0-1",
                        "attend 1 2-4",
                        "append 2 2-4",
                        "choose 2 2-4",
                        "attend 2 0-1",
                        "attend 2 2-4");
    }

    /// Two waves may hold tokens of one sequence, which come in order.
    @Test
    void severalWavesGoOneAfterTheOther() {
        assertThat(calls(new DecodeCache.Division(0, 2, true), 2).subList(0, 10))
                .containsExactly(
                        "append 0 0-4",
                        "choose 0 0-1",
                        "choose 0 2-4",
                        "attend 0 0-1",
                        "attend 0 2-4",
                        "append 0 5-9",
                        "choose 0 5-6",
                        "choose 0 7-9",
                        "attend 0 5-6",
                        "attend 0 7-9");
    }

    private static List<String> calls(DecodeCache.Division division, int waves) {
        try (Backend backend = new ReferenceBackend();
                MemoryScope scope = backend.newScope("a test")) {
            DecoderWeights weights = new RandomWeights(SHAPE, DType.F32, 1, backend, scope).fill();
            var dense = backend.operations().dense();
            var cache = new Listening(backend, division);
            RotaryTables tables = new RotaryTables(SHAPE.rope(), backend, scope);
            List<DecodeCache.Wave> all = new ArrayList<>();
            for (int wave = 0; wave < waves; wave++) {
                Tensor zeros = scope.allocate(DType.I32, ROWS);
                Tensor slots = scope.allocate(DType.I32, ROWS);
                int first = wave * ROWS;
                backend.upload(new int[] {first, first + 1, first + 2, first + 3, first + 4}, slots);
                StepRows rows = new StepRows(ROWS, slots, zeros, zeros, zeros, zeros);
                all.add(new DecodeCache.Wave(rows, tables.forSequence(1, 8), true));
            }
            Tensor hidden = scope.allocate(DType.F32, ROWS * waves, SHAPE.hiddenSize());
            Workspace work = Workspace.allocate(SHAPE, DType.F32, scope, ROWS * waves);
            new DecodePass(SHAPE, new LayerForward(SHAPE, weights, dense), dense, cache).run(all, hidden, work);
            return cache.calls;
        }
    }

    /// Attends to nothing and writes down what it is asked, rows by their first and last slot.
    private static final class Listening implements DecodeCache {
        private final List<String> calls = new ArrayList<>();
        private final Backend backend;
        private final Division division;

        Listening(Backend backend, Division division) {
            this.backend = backend;
            this.division = division;
        }

        private void hear(String what, int layer, Wave wave) {
            int[] slots = backend.downloadInts(wave.rows().slots());
            calls.add("%s %d %d-%d".formatted(what, layer, slots[0], slots[slots.length - 1]));
        }

        @Override
        public Division divide(Wave wave, long layerBytes, boolean mayTakeTurns) {
            assertThat(layerBytes).isEqualTo(4L * (32 * 64 + 2 * 32 * 32 + 64 * 32 + 3 * 32 * 48));
            return mayTakeTurns ? division : new Division(division.fromLayer(), division.parts(), false);
        }

        @Override
        public void append(int layer, Tensor keys, Tensor values, Wave wave) {
            hear("append", layer, wave);
        }

        @Override
        public void choose(int layer, Tensor queries, Wave wave) {
            hear("choose", layer, wave);
        }

        @Override
        public void attend(int layer, Tensor queries, Wave wave, double scale, Tensor out) {
            hear("attend", layer, wave);
        }

        @Override
        public void join(int slot, SequenceCache sequence) {
            throw new UnsupportedOperationException("no sequence is asked for");
        }

        @Override
        public void leave(int slot) {
            throw new UnsupportedOperationException("no sequence is asked for");
        }

        @Override
        public void makeRoom(int slot) {
            throw new UnsupportedOperationException("no sequence is asked for");
        }

        @Override
        public Object prepare(List<Wave> waves) {
            return "";
        }

        @Override
        public boolean isRecordable() {
            return true;
        }

        @Override
        public void synthesizeHits(double rate) {
            throw new UnsupportedOperationException("nothing is selected");
        }

        @Override
        public void trace(@Nullable SelectionListener listener) {
            throw new UnsupportedOperationException("nothing is selected");
        }

        @Override
        public void close() {
            // Nothing is held.
        }
    }
}
