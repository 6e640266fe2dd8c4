package io.shadowkv.engine.laws;

import static io.shadowkv.engine.laws.Logits.assertSame;
import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.RandomCheckpoint;
import io.shadowkv.cache.CacheStrategy.Allocation;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.op.Backend.Place;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Forks of a read prompt: each continues it as the prompt itself would, shares its memory where it can, and changes
/// nothing of it.
public abstract class ForkLaws extends BackendLaws {
    private static final int VOCABULARY = 64;

    protected ForkLaws(BackendUnderTest tested) {
        super(tested);
    }

    static List<KvCacheSpec> strategies() {
        return List.of(new KvCacheSpec.Full(), NARROW, NARROW.withCachedTokens(32), KvCacheSpec.Shadow.DEFAULT);
    }

    /// Until a sequence adds to its index, its fork gives the same logits, token after token; two forks that go
    /// different
    /// ways do not disturb each other.
    @ParameterizedTest
    @MethodSource("strategies")
    void aForkContinuesAsItsOriginal(KvCacheSpec spec) {
        int[] prompt = Logits.ids(150, VOCABULARY, 1);
        int[] more = Logits.ids(7, VOCABULARY, 2);
        int[] other = Logits.ids(7, VOCABULARY, 3);
        try (StepBench bench = bench(checkpoint(RandomCheckpoint.SMALL), spec)) {
            bench.read(0, prompt, 400);
            bench.fork(0, 1, 40);
            bench.fork(0, 2, 40);
            float[][] first = new float[more.length][];
            for (int i = 0; i < more.length; i++) {
                first[i] = bench.feed(1, more[i]);
                bench.feed(2, other[i]);
            }
            for (int i = 0; i < more.length; i++) {
                assertSame("token " + i, first[i], bench.feed(0, more[i]), rounding());
            }
            // What the original did meanwhile does not show in a fork that was made before.
            bench.read(3, prompt, 400);
            float[] expected = bench.feed(3, other);
            float[] found = bench.feed(2, 5);
            assertSame("the other way", found, bench.feed(3, 5), rounding());
            assertThat(expected).isNotEmpty();
        }
    }

    /// A fork takes more tokens than the recent rows of the spec, and stays exact where nothing is left out.
    @ParameterizedTest
    @MethodSource("strategies")
    void aForkTakesAsManyTokensAsItWasMadeFor(KvCacheSpec spec) {
        int[] prompt = Logits.ids(120, VOCABULARY, 1);
        int[] more = Logits.ids(100, VOCABULARY, 2);
        try (StepBench bench = bench(checkpoint(RandomCheckpoint.SMALL), spec)) {
            bench.read(0, prompt, 130);
            bench.fork(0, 1, more.length);
            float[] last = bench.feed(1, more);
            assertThat(bench.cache(1).length()).isEqualTo(220);
            assertThat(bench.cache(1).room()).isZero();
            if (spec instanceof KvCacheSpec.Full || spec.equals(KvCacheSpec.Shadow.DEFAULT)) {
                int[] all = IntStream.concat(IntStream.of(prompt), IntStream.of(more))
                        .toArray();
                assertSame("all tokens", last, bench.read(2, all, 230), rounding());
            }
        }
    }

    /// A fork of a fork, after the fork in between is closed.
    @ParameterizedTest
    @MethodSource("strategies")
    void aForkCanBeForked(KvCacheSpec spec) {
        int[] prompt = Logits.ids(150, VOCABULARY, 1);
        try (StepBench bench = bench(checkpoint(RandomCheckpoint.SMALL), spec)) {
            bench.read(0, prompt, 151);
            bench.fork(0, 1, 50);
            bench.feed(1, 1, 2, 3);
            bench.fork(1, 2, 10);
            float[] expected = bench.feed(1, 4);
            bench.leave(1);
            assertSame("a fork of a fork", bench.feed(2, 4), expected, rounding());
        }
    }

    /// Planned bytes are measured bytes, and a fork of an indexed sequence is small.
    @ParameterizedTest
    @MethodSource("strategies")
    void aForkTakesWhatItsFootprintSays(KvCacheSpec spec) {
        try (StepBench bench = bench(checkpoint(RandomCheckpoint.SMALL), spec)) {
            bench.read(0, Logits.ids(1000, VOCABULARY, 1), 1000);
            SequenceCache base = bench.cache(0);
            List<Allocation> footprint = base.forkFootprint(20);
            bench.fork(0, 1, 20);
            for (Place place : Place.values()) {
                assertThat(bench.cache(1).bytes(place))
                        .as(spec + ", " + place)
                        .isEqualTo(footprint.stream()
                                .filter(part -> part.place() == place)
                                .mapToLong(Allocation::bytes)
                                .sum());
            }
            if (base.isShared()) {
                assertThat(bench.cache(1).bytes(Place.HOST)).isZero();
                assertThat(bench.cache(1).bytes(Place.DEVICE)).isLessThan(base.bytes(Place.DEVICE) / 2);
            }
        }
    }
}
