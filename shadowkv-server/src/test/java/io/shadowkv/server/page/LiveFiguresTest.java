package io.shadowkv.server.page;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.cache.LayerFetches;
import io.shadowkv.engine.SequenceFetches;
import io.shadowkv.op.Backend.Place;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.node.ObjectNode;

/// The figures of the live events, from steps whose figures are known.
class LiveFiguresTest {
    private static final long SECOND = 1_000_000_000L;

    /// A step of two layers. The first has its values in device memory. A unit is 8 tokens of 100
    /// bytes together.
    private static SequenceFetches step(long sequence, int tokens, long selected, long missed, int... latest) {
        return new SequenceFetches(
                sequence,
                tokens,
                List.of(
                        new LayerFetches(selected, 0, Place.DEVICE, 100, 8, new int[][] {{}, {}}),
                        new LayerFetches(selected, missed, Place.HOST, 100, 8, new int[][] {latest, {}})));
    }

    @Test
    void ratesAreOfTheLastSeconds() {
        SelectionRates rates = new SelectionRates();
        rates.add(List.of(step(0, 1000, 50, 50)), 0);
        assertThat(rates.rates()).as("one look has no difference").isNull();
        rates.add(List.of(step(0, 1002, 100, 70), step(0, 1004, 150, 90)), SECOND);
        assertThat(rates.rates()).isEqualTo(new SelectionRates.Rates(0.8, 1000, 0));
        rates.add(List.of(), 2 * SECOND);
        assertThat(rates.rates().hitRate()).as("nothing decodes").isEqualTo(0.8);
        rates.add(List.of(step(0, 1005, 200, 90)), 9 * SECOND);
        assertThat(rates.rates()).isEqualTo(new SelectionRates.Rates(1, 0, 0));
    }

    @Test
    void sequencesOfTwoEnginesAreNotMixed() {
        List<SequenceFetches> all = LiveFeed.distinct(List.of(
                List.of(step(3, 10, 1, 1), step(4, 10, 1, 1)), List.of(step(3, 20, 9, 9), step(3, 21, 10, 10))));
        assertThat(all).extracting(SequenceFetches::sequence).containsExactly(6L, 8L, 7L, 7L);
        assertThat(FetchStrip.newest(all)).extracting(SequenceFetches::tokens).containsExactly(10);
    }

    /// 1600 tokens in 200 columns: a column is a unit.
    @Test
    void theStripShowsWhatWasFetched() {
        ObjectNode strip = FetchStrip.of(List.of(step(0, 1600, 1, 1, 0, 199), step(0, 1600, 1, 1, 0)));
        assertThat(strip.path("tokens").intValue()).isEqualTo(1600);
        assertThat(strip.path("steps").intValue()).isEqualTo(2);
        assertThat(strip.path("layers").path(0).stringValue()).isEqualTo("0".repeat(200));
        // 2 and 1 of the 4 that two heads could fetch in two steps: 15 √0.5 and 15 √0.25.
        assertThat(strip.path("layers").path(1).stringValue()).isEqualTo("b" + "0".repeat(198) + "8");
    }

    @Test
    void theRateIsOfTheLastTwoSeconds() {
        TokenRate rate = new TokenRate();
        assertThat(rate.next(100, 0)).isZero();
        assertThat(rate.next(110, SECOND)).isEqualTo(10);
        assertThat(rate.next(110, 2 * SECOND)).isEqualTo(5);
        assertThat(rate.next(110, 3 * SECOND)).isZero();
    }
}
