package io.shadowkv.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.TinyShape;
import io.shadowkv.cache.DecodeCache;
import io.shadowkv.cache.DecodeCache.Fetches;
import io.shadowkv.cache.SelectionListener;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.op.Backend;
import io.shadowkv.op.Backend.MemoryRates;
import io.shadowkv.op.ForwardingBackend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.StepRows;
import io.shadowkv.op.reference.ReferenceBackend;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.WeightPrecision;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// The order in which the microbatches of a step reach the cache, and when they alternate.
class DecodePassTest {
    private static final int ROWS = 8;
    private static final DecoderSpec SHAPE = TinyShape.llama(3);
    private static final long LAYER_BYTES = 4L * (32 * 64 + 2 * 32 * 32 + 64 * 32 + 3 * 32 * 48);
    /// 320 of 800 bytes are expected to be missed in a step of 8 rows: at this cost they take 3.3 times as long as
    /// reading the weights, above the bound of 3.2.
    private static final MemoryRates SLOW_LINK = new MemoryRates(3.3 * LAYER_BYTES / 320, 1);

    /// Just below the bound.
    private static final MemoryRates FAST_LINK = new MemoryRates(3.1 * LAYER_BYTES / 320, 1);

    @Test
    void rowsStayTogetherWhereNothingIsFetched() {
        assertThat(calls(Fetches.NONE, FAST_LINK, 1))
                .containsExactly(
                        "append 0 0-7",
                        "choose 0 0-7",
                        "attend 0 0-7",
                        "append 1 0-7",
                        "choose 1 0-7",
                        "attend 1 0-7",
                        "append 2 0-7",
                        "choose 2 0-7",
                        "attend 2 0-7");
    }

    @Test
    void microbatchesAreChosenBeforeTheFirstIsAttended() {
        assertThat(calls(new Fetches(2, 100), FAST_LINK, 1))
                .containsExactly(
                        "append 0 0-7",
                        "choose 0 0-7",
                        "attend 0 0-7",
                        "append 1 0-7",
                        "choose 1 0-7",
                        "attend 1 0-7",
                        "append 2 0-7",
                        "choose 2 0-3",
                        "choose 2 4-7",
                        "attend 2 0-3",
                        "attend 2 4-7");
    }

    /// The next layer's choice of a microbatch comes before the other one is attended: its fetch has that time.
    @Test
    void microbatchesAlternateWhereTheLinkTakesLongest() {
        assertThat(calls(new Fetches(1, 100), SLOW_LINK, 1))
                .containsExactly(
                        "append 0 0-7",
                        "choose 0 0-7",
                        "attend 0 0-7",
                        "append 1 0-3",
                        "choose 1 0-3",
                        "append 1 4-7",
                        "choose 1 4-7",
                        "attend 1 0-3",
                        "append 2 0-3",
                        "choose 2 0-3",
                        "attend 1 4-7",
                        "append 2 4-7",
                        "choose 2 4-7",
                        "attend 2 0-3",
                        "attend 2 4-7");
    }

    /// Two waves may hold tokens of one sequence, which come in order.
    @Test
    void severalWavesGoOneAfterTheOther() {
        assertThat(calls(new Fetches(0, 100), SLOW_LINK, 2).subList(0, 10))
                .containsExactly(
                        "append 0 0-7",
                        "choose 0 0-3",
                        "choose 0 4-7",
                        "attend 0 0-3",
                        "attend 0 4-7",
                        "append 0 8-15",
                        "choose 0 8-11",
                        "choose 0 12-15",
                        "attend 0 8-11",
                        "attend 0 12-15");
    }

    private static List<String> calls(Fetches fetches, MemoryRates rates, int waves) {
        try (Backend backend = new LinkedBackend(rates);
                MemoryScope scope = backend.newScope("a test")) {
            DecoderWeights weights = new RandomWeights(
                            SHAPE, DType.F32, new WeightEncoder(WeightPrecision.STORED), 1, backend, scope)
                    .fill();
            var dense = backend.operations().dense();
            var cache = new Listening(backend);
            RotaryTables tables = new RotaryTables(SHAPE, backend, scope);
            List<DecodeCache.Wave> all = new ArrayList<>();
            for (int wave = 0; wave < waves; wave++) {
                Tensor zeros = scope.allocate(DType.I32, ROWS);
                Tensor slots = scope.allocate(DType.I32, ROWS);
                int first = wave * ROWS;
                backend.upload(IntStream.range(first, first + ROWS).toArray(), slots);
                StepRows rows = new StepRows(ROWS, slots, zeros, zeros, zeros, zeros);
                all.add(new DecodeCache.Wave(rows, tables.forSequence(1, 8), true));
            }
            Tensor hidden = scope.allocate(DType.F32, ROWS * waves, SHAPE.hiddenSize());
            Workspace work = Workspace.allocate(SHAPE, DType.F32, scope, ROWS * waves);
            var forward = new LayerForward(SHAPE, weights, backend);
            assertThat(forward.layerBytes(ROWS)).isEqualTo(LAYER_BYTES);
            var schedule = new FetchSchedule(backend, forward::layerBytes);
            new DecodePass(SHAPE, forward, schedule, cache).run(all, hidden, work, fetches);
            return cache.calls;
        }
    }

    /// Plain loops behind a link.
    private static final class LinkedBackend extends ForwardingBackend {
        private final MemoryRates rates;

        LinkedBackend(MemoryRates rates) {
            super(new ReferenceBackend());
            this.rates = rates;
        }

        @Override
        public MemoryRates rates() {
            return rates;
        }

        @Override
        public boolean hasSideQueue() {
            return true;
        }
    }

    /// Attends to nothing and writes down what it is asked, rows by their first and last slot.
    private static final class Listening implements DecodeCache {
        private final List<String> calls = new ArrayList<>();
        private final Backend backend;

        Listening(Backend backend) {
            this.backend = backend;
        }

        private void hear(String what, int layer, Wave wave) {
            int[] slots = backend.downloadInts(wave.rows().slots());
            calls.add("%s %d %d-%d".formatted(what, layer, slots[0], slots[slots.length - 1]));
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
        public boolean beginRoom(int slot) {
            throw new UnsupportedOperationException("no sequence is asked for");
        }

        @Override
        public void settle(int slot) {
            throw new UnsupportedOperationException("no sequence is asked for");
        }

        @Override
        public Prepared prepare(List<Wave> waves) {
            throw new UnsupportedOperationException("the step is prepared");
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
