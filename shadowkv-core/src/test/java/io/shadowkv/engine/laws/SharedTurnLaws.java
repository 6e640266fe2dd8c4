package io.shadowkv.engine.laws;

import static io.shadowkv.engine.laws.Logits.assertSame;
import static io.shadowkv.engine.laws.Logits.ids;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.shadowkv.RandomCheckpoint;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.KvCacheSpec.Shadow;
import io.shadowkv.cache.ValueFormat;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Turns of forks of one sequence that are read together: each gives what it gives alone, and what the forks share is
/// restored once in each layer.
public abstract class SharedTurnLaws extends BackendLaws {
    private static final int VOCABULARY = 64;

    private static final int[] DOCUMENT = ids(150, VOCABULARY, 1);

    /// Turns of the forks that [#forks] makes.
    private static final int[] LENGTHS = {16, 40, 33, 1};

    protected SharedTurnLaws(BackendUnderTest tested) {
        super(tested);
    }

    static List<RandomCheckpoint> shapes() {
        return TurnLaws.shapes();
    }

    /// Four forks of slot 0, from slot `first` on: a plain one, one that has decoded tokens of its own, a fork of a
    /// fork that has decoded and is closed, and a plain one.
    private static void forks(StepBench bench, int first) {
        bench.fork(0, first, 60);
        bench.fork(0, first + 1, 60);
        bench.feed(first + 1, 1, 2, 3);
        bench.fork(0, first + 2, 60);
        bench.feed(first + 2, 5, 4);
        bench.fork(first + 2, first + 4, 50);
        bench.leave(first + 2);
        bench.fork(first + 4, first + 2, 50);
        bench.leave(first + 4);
        bench.fork(0, first + 3, 60);
    }

    /// The turns of the forks from slot `first` on.
    private static Map<Integer, int[]> turns(int first) {
        Map<Integer, int[]> turns = new TreeMap<>();
        for (int i = 0; i < LENGTHS.length; i++) {
            turns.put(first + i, ids(LENGTHS[i], VOCABULARY, 100 + i));
        }
        return turns;
    }

    /// What the turns of the forks from slot 1 on give when each is read alone.
    private static Map<Integer, float[]> alone(StepBench bench) {
        forks(bench, 1);
        Map<Integer, float[]> alone = new TreeMap<>();
        turns(1).forEach((slot, turn) -> alone.put(slot, bench.extend(slot, turn, 512)));
        return alone;
    }

    /// The logits of the turns, and of the tokens that are decoded afterwards.
    @ParameterizedTest
    @MethodSource("shapes")
    void turnsReadTogetherAreThoseReadAlone(RandomCheckpoint shape) {
        for (Shadow spec : List.of(NARROW, NARROW.withValues(ValueFormat.I8))) {
            for (int rows : new int[] {512, 7}) {
                try (StepBench bench = bench(checkpoint(shape), spec)) {
                    bench.placeValues(rows == 7 ? 1 : 0);
                    bench.read(0, DOCUMENT, 160);
                    Map<Integer, float[]> alone = alone(bench);
                    forks(bench, 11);
                    Map<Integer, float[]> together = bench.extend(turns(11), rows);
                    assertThat(together).hasSize(alone.size());
                    alone.forEach((slot, logits) -> assertSame(
                            "turn " + slot + ", " + rows + " rows", together.get(slot + 10), logits, rounding()));
                    for (int slot : alone.keySet()) {
                        assertThat(bench.cache(slot + 10).length())
                                .isEqualTo(bench.cache(slot).length());
                        for (int i = 0; i < 4; i++) {
                            float[] found = bench.feed(slot + 10, i);
                            float[] expected = bench.feed(slot, i);
                            if (choosesAlike(i + 2)) {
                                assertSame("token " + i + " after turn " + slot, found, expected, rounding());
                            }
                        }
                    }
                }
            }
        }
    }

    /// Turns of sequences that share nothing are read together as well, each with keys and values of its own.
    @ParameterizedTest
    @MethodSource("strategies")
    void turnsOfAnySequencesAreReadTogether(KvCacheSpec spec) {
        try (StepBench bench = bench(checkpoint(RandomCheckpoint.SMALL), spec)) {
            for (int slot : new int[] {0, 1}) {
                bench.read(10 * slot, DOCUMENT, 240);
                bench.read(10 * slot + 1, ids(90, VOCABULARY, 2), 240);
                bench.fork(10 * slot, 10 * slot + 2, 40);
            }
            Map<Integer, int[]> turns = new TreeMap<>();
            for (int slot : new int[] {1, 2}) {
                turns.put(10 + slot, ids(20 + slot, VOCABULARY, slot));
            }
            Map<Integer, float[]> together = bench.extend(turns, 512);
            for (int slot : new int[] {1, 2}) {
                float[] alone = bench.extend(slot, turns.get(10 + slot), 512);
                assertSame("turn " + slot, together.get(10 + slot), alone, rounding());
            }
        }
    }

    static List<KvCacheSpec> strategies() {
        return List.of(new KvCacheSpec.Full(), NARROW, Shadow.DEFAULT);
    }

    /// The owner of an index may add to it after forks were made. Each fork goes on to read what it read
    /// before; forks made before and after are not mixed up.
    @Test
    void anIndexThatGrowsChangesNoFork() {
        try (StepBench bench = bench(checkpoint(RandomCheckpoint.SMALL), NARROW)) {
            bench.read(0, DOCUMENT, 240);
            bench.fork(0, 1, 60);
            bench.fork(0, 2, 60);
            bench.fork(0, 3, 60);
            int[] turn = ids(20, VOCABULARY, 100);
            int[] other = ids(33, VOCABULARY, 101);
            float[] alone = bench.extend(1, turn, 512);
            bench.feed(0, ids(30, VOCABULARY, 5));
            bench.fork(0, 4, 60);
            bench.fork(0, 5, 60);
            float[] later = bench.extend(4, other, 512);
            Map<Integer, float[]> together = bench.extend(Map.of(2, turn, 5, other), 512);
            assertSame("a fork made before", together.get(2), alone, rounding());
            assertSame("a fork made after", together.get(5), later, rounding());
            assertSame("a fork made before, alone", bench.extend(3, turn, 512), alone, rounding());
        }
    }

    /// However many turns there are, a layer's keys and values are restored once.
    @ParameterizedTest
    @ValueSource(ints = {512, 7})
    void whatForksShareIsRestoredOnce(int rows) {
        WatchedBackend watched = new WatchedBackend(backend());
        try (StepBench bench = bench(checkpoint(RandomCheckpoint.SMALL), NARROW, watched)) {
            bench.read(0, DOCUMENT, 160);
            forks(bench, 1);
            assertThat(watched.calls("restoreKeys")).isZero();
            bench.extend(turns(1), rows);
            int layers = RandomCheckpoint.SMALL.layers();
            assertThat(watched.calls("restoreKeys")).isEqualTo(layers);
            assertThat(watched.calls("restoreValues")).isEqualTo(layers);
            bench.fork(0, 5, 20);
            bench.extend(5, ids(16, VOCABULARY, 3), 512);
            assertThat(watched.calls("restoreKeys")).as("and alone").isEqualTo(2 * layers);
        }
    }

    /// Turns that are given up in any layer: their forks stay as they were and can be closed at once, the others give
    /// what they give alone, and no memory stays.
    @ParameterizedTest
    @MethodSource("givenUp")
    void aTurnThatIsGivenUpDisturbsNobody(List<Integer> dropped) {
        int layers = RandomCheckpoint.SMALL.layers();
        for (int units = 0; units <= layers; units++) {
            try (StepBench bench = bench(checkpoint(RandomCheckpoint.SMALL), NARROW)) {
                bench.read(0, DOCUMENT, 160);
                Map<Integer, float[]> alone = alone(bench);
                forks(bench, 11);
                forks(bench, 21);
                long before = backend().heldBytes();
                try (StepBench.Turns together = bench.new Turns(turns(11), 512)) {
                    for (int i = 0; i < units; i++) {
                        together.advance();
                    }
                    dropped.forEach(slot -> together.drop(slot + 10));
                    if (dropped.size() > 1) {
                        bench.leave(dropped.getFirst() + 10);
                    }
                    while (!together.isDone()) {
                        together.advance();
                    }
                    for (int slot : alone.keySet()) {
                        if (!dropped.contains(slot)) {
                            assertSame("turn " + slot, together.seal(slot + 10), alone.get(slot), rounding());
                        }
                    }
                }
                if (dropped.size() == 1) {
                    assertThat(backend().heldBytes()).isEqualTo(before);
                }
                int last = dropped.getLast();
                assertSame("the fork", bench.feed(last + 10, 9), bench.feed(last + 20, 9), rounding());
            }
        }
    }

    static List<List<Integer>> givenUp() {
        return List.of(List.of(1), List.of(2), List.of(3), List.of(4), List.of(1, 4));
    }

    /// If all turns are given up, nothing stays of their reading.
    @Test
    void turnsThatAreAllGivenUpLeaveNothing() {
        try (StepBench bench = bench(checkpoint(RandomCheckpoint.SMALL), NARROW)) {
            bench.read(0, DOCUMENT, 160);
            forks(bench, 1);
            long before = backend().heldBytes();
            try (StepBench.Turns together = bench.new Turns(turns(1), 512)) {
                together.advance();
                turns(1).keySet().forEach(together::drop);
            }
            assertThat(backend().heldBytes()).isEqualTo(before);
        }
    }

    /// A layer that cannot be restored fails every turn; nothing stays, and the forks stay as they were.
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void aLayerThatIsNotRestoredFailsAllTurns(int call) {
        WatchedBackend watched = new WatchedBackend(backend());
        try (StepBench bench = bench(checkpoint(RandomCheckpoint.SMALL), NARROW, watched)) {
            bench.read(0, DOCUMENT, 160);
            forks(bench, 1);
            forks(bench, 11);
            long before = backend().heldBytes();
            watched.fail("restoreValues", call);
            assertThatIllegalStateException()
                    .isThrownBy(() -> bench.extend(turns(11), 512))
                    .withMessageContaining("restoreValues");
            assertThat(backend().heldBytes()).isEqualTo(before);
            for (int slot : turns(1).keySet()) {
                assertSame("fork " + slot, bench.feed(slot + 10, 9), bench.feed(slot, 9), rounding());
            }
        }
    }

    /// The turn that meets the failure is not the only one that hears of it.
    @Test
    void aFailedLayerIsNotReadByAnotherTurn() {
        WatchedBackend watched = new WatchedBackend(backend());
        try (StepBench bench = bench(checkpoint(RandomCheckpoint.SMALL), NARROW, watched);
                MemoryScope scope = backend().newScope("queries")) {
            bench.read(0, DOCUMENT, 160);
            forks(bench, 1);
            watched.fail("restoreValues", 2);
            try (StepBench.Turns together = bench.new Turns(turns(1), 512)) {
                assertThatIllegalStateException().isThrownBy(() -> {
                    while (!together.isDone()) {
                        together.advance();
                    }
                });
                Tensor queries = scope.allocate(DType.F32, 1, 4, 16);
                for (int slot : turns(1).keySet()) {
                    assertThatIllegalStateException()
                            .isThrownBy(() -> together.cache(slot).attend(1, 0, queries, 1, queries))
                            .withMessageContaining("restoreValues");
                }
            }
        }
    }
}
