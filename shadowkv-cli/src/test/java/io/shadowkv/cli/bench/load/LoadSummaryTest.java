package io.shadowkv.cli.bench.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// The arithmetic of the figures, on events written by hand. Times are milliseconds.
class LoadSummaryTest {
    private static final long MS = 1_000_000;
    private static final Goal NO_GOAL = new Goal(Double.POSITIVE_INFINITY, Double.POSITIVE_INFINITY);

    private static AnswerRecord answer(long scheduled, long sent, long ended, long... arrivals) {
        long[] nanos = java.util.Arrays.stream(arrivals).map(at -> at * MS).toArray();
        return new AnswerRecord(0, scheduled * MS, sent * MS, nanos, ended * MS, 100, 40, arrivals.length, "");
    }

    private static AnswerRecord failure(String kind) {
        return new AnswerRecord(0, 0, 0, new long[0], 10 * MS, 0, 0, 0, kind);
    }

    /// Two answers: 3 tokens at 100, 150, 250 ms, and 2 tokens at 600, 610 ms, scheduled at 500 ms but
    /// sent at 530 ms.
    private static final List<AnswerRecord> TWO =
            List.of(answer(0, 0, 260, 100, 150, 250), answer(500, 530, 1000, 600, 610));

    @Test
    void throughputIsCountedOverTheWholeTime() {
        LoadSummary summary = LoadSummary.of(TWO, NO_GOAL);
        assertThat(summary.seconds()).isEqualTo(1.0);
        assertThat(summary.requestThroughput()).isEqualTo(2.0);
        assertThat(summary.outputThroughput()).isEqualTo(5.0);
        assertThat(summary.totalThroughput()).isEqualTo(205.0);
        assertThat(summary.cachedTokens()).isEqualTo(80);
        assertThat(summary.peakRequests()).isEqualTo(1);
    }

    @Test
    void latenciesCountFromTheScheduledTime() {
        LoadSummary summary = LoadSummary.of(TWO, NO_GOAL);
        assertThat(summary.firstToken().mean()).isEqualTo(100);
        assertThat(summary.firstToken().max()).isEqualTo(100);
        assertThat(summary.endToEnd().mean()).isEqualTo((260 + 500) / 2.0);
        assertThat(summary.sendDelay().max()).isEqualTo(30);
        // (250 - 100) / 2 and 10
        assertThat(summary.perToken().mean()).isEqualTo((75 + 10) / 2.0);
        assertThat(summary.gap().mean()).isCloseTo((50 + 100 + 10) / 3.0, within(1e-9));
    }

    @Test
    void goodputCountsAnswersThatMeetBothGoals() {
        assertThat(LoadSummary.of(TWO, NO_GOAL).goodput()).isEqualTo(2);
        assertThat(LoadSummary.of(TWO, new Goal(100, 75)).goodRequests()).isEqualTo(2);
        assertThat(LoadSummary.of(TWO, new Goal(100, 74)).goodRequests()).isEqualTo(1);
        assertThat(LoadSummary.of(TWO, new Goal(99, 100)).goodRequests()).isZero();
        assertThat(new Goal(100, 1).isMetBy(answer(0, 0, 60, 50))).isTrue();
    }

    @Test
    void failuresAreCountedByKindAndInterruptionsAreNotFailures() {
        LoadSummary summary = LoadSummary.of(
                List.of(
                        answer(0, 0, 20, 10),
                        failure("HTTP 429 queue_full"),
                        failure("HTTP 429 queue_full"),
                        failure("stream cut"),
                        failure(""),
                        failure(AnswerRecord.INTERRUPTED)),
                NO_GOAL);
        assertThat(summary.completed()).isEqualTo(1);
        assertThat(summary.failed()).isEqualTo(4);
        assertThat(summary.errors()).isEqualTo(Map.of("HTTP 429 queue_full", 2, "stream cut", 1, "empty answer", 1));
        assertThat(summary.interrupted()).isEqualTo(1);
        assertThat(summary.peakRequests()).isEqualTo(6);
    }

    /// numpy.percentile(range(1, 101), [50, 90, 99]) is 50.5, 90.1, 99.01.
    @Test
    void percentilesAreThoseOfNumpy() {
        Spread spread = Spread.of(IntStream.rangeClosed(1, 100).mapToDouble(i -> 101 - i));
        assertThat(spread.p50()).isCloseTo(50.5, within(1e-9));
        assertThat(spread.p90()).isCloseTo(90.1, within(1e-9));
        assertThat(spread.p99()).isCloseTo(99.01, within(1e-9));
        assertThat(spread.max()).isEqualTo(100);
        assertThat(Spread.of(DoubleStream.of(Double.NaN)).p50()).isNaN();
        assertThat(Spread.of(DoubleStream.of(3, Double.NaN)).p99()).isEqualTo(3);
    }

    @Test
    void nothingMeasuredGivesNoNumbers() {
        LoadSummary summary = LoadSummary.of(List.of(), NO_GOAL);
        assertThat(summary.completed()).isZero();
        assertThat(summary.goodput()).isNaN();
        assertThat(summary.firstToken().p99()).isNaN();
    }
}
