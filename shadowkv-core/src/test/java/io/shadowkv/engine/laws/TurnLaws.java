package io.shadowkv.engine.laws;

import static io.shadowkv.engine.laws.Logits.assertSame;
import static io.shadowkv.engine.laws.Logits.ids;
import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.RandomCheckpoint;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.KvCacheSpec.Shadow;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.cache.ValueFormat;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Turns that are read many rows at a time: their tokens attend exactly to everything before them, and the
/// sequence is afterwards what it would be if it had been read at once.
public abstract class TurnLaws extends BackendLaws {
    private static final int VOCABULARY = 64;

    /// Full rank: restored keys differ from the originals by a few float roundings per layer.
    private static final Shadow FULL_RANK = new Shadow(4096, 4, 16, 2, 8, 8);

    private static final double RESTORED = 2e-4;

    protected TurnLaws(BackendUnderTest tested) {
        super(tested);
    }

    /// The shapes of the other laws: head dims, group sizes, rotary kinds.
    static List<RandomCheckpoint> shapes() {
        return ShadowLaws.cuts().stream().map(ShadowLaws.Cut::shape).toList();
    }

    /// Full attention, and ShadowKV while everything fits: a turn is the rest of one prompt.
    @ParameterizedTest
    @MethodSource("wholeStrategies")
    void aTurnIsTheRestOfAPrompt(KvCacheSpec spec) {
        int[] all = ids(190, VOCABULARY, 1);
        try (StepBench bench = bench(checkpoint(RandomCheckpoint.SMALL), spec)) {
            float[] expected = bench.read(0, all, 200);
            bench.read(1, Arrays.copyOf(all, 120), 200);
            float[] found = bench.extend(1, Arrays.copyOfRange(all, 120, 190), 512);
            assertSame("the turn", found, expected, rounding());
            assertSame("the next token", bench.feed(1, 7), bench.feed(0, 7), rounding());
        }
    }

    static List<KvCacheSpec> wholeStrategies() {
        return List.of(new KvCacheSpec.Full(), Shadow.DEFAULT);
    }

    /// With full rank, turns of an indexed sequence give full attention's logits: one that stays in the recent
    /// rows, one that joins the index, one that attends to what joined, and one of a fork.
    @ParameterizedTest
    @MethodSource("shapes")
    void turnsAttendToEverything(RandomCheckpoint shape) {
        int[] all = ids(260, VOCABULARY, 2);
        Path folder = checkpoint(shape);
        try (StepBench full = bench(folder, new KvCacheSpec.Full());
                StepBench whole = bench(folder, Shadow.DEFAULT);
                StepBench shadow = bench(folder, FULL_RANK)) {
            full.read(0, Arrays.copyOf(all, 97), 300);
            whole.read(0, all, 300);
            shadow.read(0, Arrays.copyOf(all, 97), 300);
            int from = 97;
            for (int to : new int[] {99, 150, 151, 200}) {
                int[] turn = Arrays.copyOfRange(all, from, to);
                assertSame(
                        "to " + to, shadow.extend(0, turn, 512), full.extend(0, turn, 512), atLeastRounding(RESTORED));
                IndexCheck.assertHolds(backend(), shadow.cache(0), whole.cache(0), atLeastRounding(RESTORED));
                from = to;
            }
            shadow.fork(0, 1, 60);
            int[] turn = Arrays.copyOfRange(all, 200, 260);
            assertSame("a fork", shadow.extend(1, turn, 512), full.extend(0, turn, 512), atLeastRounding(RESTORED));
        }
    }

    /// The number of rows of a unit, and where values lie, do not change the result.
    @Test
    void rowsOfAUnitDoNotMatter() {
        int[] all = ids(200, VOCABULARY, 3);
        for (Shadow spec : List.of(NARROW, NARROW.withValues(ValueFormat.I8))) {
            try (StepBench bench = bench(checkpoint(RandomCheckpoint.SMALL), spec)) {
                int[] turn = Arrays.copyOfRange(all, 120, 200);
                float[] expected = null;
                int slot = 0;
                for (int deviceLayers : new int[] {0, 1, 3}) {
                    bench.placeValues(deviceLayers);
                    for (int rows : new int[] {512, 80, 7}) {
                        bench.read(slot, Arrays.copyOf(all, 120), 220);
                        float[] found = bench.extend(slot, turn, rows);
                        expected = expected == null ? found : expected;
                        assertSame(rows + " rows, " + deviceLayers + " layers", found, expected, rounding());
                        bench.leave(slot);
                    }
                }
            }
        }
    }

    /// After a turn, decode goes on as in a sequence whose index grew token by token: the same units, rows and
    /// numbers, up to the tokens that were attended to exactly.
    @Test
    void decodingGoesOnAfterATurn() {
        int[] all = ids(200, VOCABULARY, 4);
        try (StepBench bench = bench(checkpoint(RandomCheckpoint.SMALL), NARROW)) {
            bench.read(0, Arrays.copyOf(all, 120), 260);
            bench.extend(0, Arrays.copyOfRange(all, 120, 200), 512);
            SequenceCache cache = bench.cache(0);
            assertThat(cache.length()).isEqualTo(200);
            assertThat(cache.room()).isPositive();
            for (int i = 0; i < 60; i++) {
                assertThat(bench.feed(0, i)).doesNotContain(Float.NaN);
            }
            assertThat(cache.length()).isEqualTo(260);
        }
    }

    /// A turn that is cancelled in any layer leaves the sequence as it was.
    @ParameterizedTest
    @MethodSource("turns")
    void aCancelledTurnChangesNothing(int turnTokens) {
        int[] all = ids(120, VOCABULARY, 5);
        int layers = RandomCheckpoint.SMALL.layers();
        for (KvCacheSpec spec : List.of(new KvCacheSpec.Full(), NARROW, Shadow.DEFAULT)) {
            for (int units = 0; units <= layers; units++) {
                try (StepBench bench = bench(checkpoint(RandomCheckpoint.SMALL), spec)) {
                    bench.read(0, all, 260);
                    bench.read(1, all, 260);
                    bench.feed(0, 1);
                    bench.feed(1, 1);
                    bench.abandon(0, ids(turnTokens, VOCABULARY, 6), units);
                    for (int i = 0; i < 30; i++) {
                        assertSame("token " + i, bench.feed(0, i), bench.feed(1, i), rounding());
                    }
                }
            }
        }
    }

    static List<Integer> turns() {
        return List.of(2, 70);
    }

    /// Forks of one sequence take different turns; the sequence itself does not change.
    @Test
    void turnsOfForksDoNotMeet() {
        int[] all = ids(150, VOCABULARY, 7);
        try (StepBench bench = bench(checkpoint(RandomCheckpoint.SMALL), NARROW)) {
            bench.read(0, all, 170);
            bench.read(1, all, 170);
            bench.fork(0, 2, 60);
            bench.fork(0, 3, 60);
            float[] one = bench.extend(2, ids(40, VOCABULARY, 8), 512);
            float[] other = bench.extend(3, ids(40, VOCABULARY, 9), 512);
            assertThat(one).isNotEqualTo(other);
            bench.fork(0, 4, 60);
            assertSame("again", bench.extend(4, ids(40, VOCABULARY, 8), 512), one, rounding());
            assertSame("the original", bench.feed(0, 3), bench.feed(1, 3), rounding());
        }
    }

    /// The memory of a turn is freed when it ends.
    @Test
    void aTurnTakesNoMemoryWithIt() {
        try (StepBench bench = bench(checkpoint(RandomCheckpoint.SMALL), NARROW)) {
            bench.read(0, ids(150, VOCABULARY, 10), 300);
            long before = backend().heldBytes();
            bench.extend(0, ids(100, VOCABULARY, 11), 512);
            bench.abandon(0, ids(20, VOCABULARY, 12), 1);
            assertThat(backend().heldBytes()).isEqualTo(before);
        }
    }
}
