package io.shadowkv.eval.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shadowkv.eval.statistics.Estimate;
import io.shadowkv.eval.statistics.Interval;
import io.shadowkv.eval.statistics.Intervals;
import io.shadowkv.eval.statistics.StudentT;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Function;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Compares intervals with published values, and tests that they contain the truth in 95 of 100
/// draws.
final class IntervalsTest {
    private static double[] ones(int ones, int count) {
        return IntStream.range(0, count).mapToDouble(i -> i < ones ? 1 : 0).toArray();
    }

    /// R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    @ParameterizedTest
    @CsvSource({
        "81, 263, 0.2553, 0.3662",
        "15, 148, 0.0624, 0.1605",
        "0, 20, 0, 0.1611",
        "1, 29, 0.0061, 0.1718",
    })
    void wilsonAsPrinted(int right, int count, double low, double high) {
        Interval interval = Intervals.mean(ones(right, count)).interval();
        assertThat(interval.low()).isCloseTo(low, within(5e-5));
        assertThat(interval.high()).isCloseTo(high, within(5e-5));
    }

    /// From any table of Student's t.
    @ParameterizedTest
    @CsvSource({"1, 12.706", "2, 4.303", "4, 2.776", "9, 2.262", "30, 2.042", "120, 1.980", "1000000, 1.960"})
    void studentTAsPrinted(double degrees, double critical) {
        assertThat(StudentT.critical(degrees)).isCloseTo(critical, within(5e-4));
    }

    @Test
    void gradedScoresTakeStudentsInterval() {
        double[] shares = DoubleStream.of(0.2, 0.4, 0.6, 0.8, 0.3, 0.5, 0.7, 0.45, 0.55, 0.35, 0.65, 0.5)
                .toArray();
        Estimate e = Intervals.mean(shares);
        // Mean 0.5, variance 0.33 / 11, t(11) 2.20099.
        assertThat(e.value()).isCloseTo(0.5, within(1e-12));
        assertThat(e.interval().high() - 0.5).isCloseTo(2.20099 * Math.sqrt(0.03 / 12), within(1e-6));
        assertThat(0.5 - e.interval().low()).isCloseTo(e.interval().high() - 0.5, within(1e-12));
    }

    @Test
    void pairsTakeTheAdjustedWaldInterval() {
        // 3 better, 9 worse, 88 equal of 100: (4 − 10)/102 ± z·sqrt((14/102 − (6/102)²)/102).
        double[] differences = new double[100];
        Arrays.fill(differences, 0, 3, 1);
        Arrays.fill(differences, 3, 12, -1);
        Estimate e = Intervals.difference(differences);
        double centre = -6 / 102.0;
        double half = 1.959964 * Math.sqrt((14 / 102.0 - centre * centre) / 102);
        assertThat(e.value()).isCloseTo(-0.06, within(1e-12));
        assertThat(e.interval().low()).isCloseTo(centre - half, within(1e-6));
        assertThat(e.interval().high()).isCloseTo(centre + half, within(1e-6));
    }

    @Test
    void fewEqualPairsGiveAWideInterval() {
        Interval ten = Intervals.difference(new double[10]).interval();
        Interval hundred = Intervals.difference(new double[100]).interval();
        assertThat(ten.low()).isLessThan(-0.2);
        assertThat(hundred.low()).isBetween(-0.04, -0.02);
        assertThat(Intervals.mean(ones(10, 10)).interval().low()).isLessThan(0.75);
        // A graded task that always gave the same value has no variance to estimate.
        double[] same = new double[10];
        Arrays.fill(same, 0.8);
        assertThat(Intervals.mean(same).interval().low()).isLessThan(0.6);
    }

    @Test
    void noSamplesGiveNoEstimate() {
        assertThat(Intervals.mean(new double[0]).value()).isNaN();
        assertThat(Intervals.difference(new double[0]).interval().low()).isNaN();
        assertThat(Intervals.average(List.of()).samples()).isZero();
    }

    @Test
    void averagesAreNarrowerByTheRootOfTheTasks() {
        Estimate task = Intervals.mean(ones(50, 100));
        Estimate average = Intervals.average(List.of(task, task, task, task));
        assertThat(average.value()).isEqualTo(0.5);
        assertThat(average.samples()).isEqualTo(400);
        assertThat(average.interval().high() - 0.5).isCloseTo((task.interval().high() - 0.5) / 2, within(1e-12));
    }

    /// Scores are discrete, so the share of intervals with the truth varies around 95 %.
    @ParameterizedTest
    @CsvSource({"15, 0.97", "50, 0.97", "100, 0.9", "100, 0.5"})
    void intervalsOfScoresContainTheTruth(int count, double truth) {
        double held = coverage(
                truth,
                random -> Intervals.mean(draw(random, count, d -> d < truth ? 1 : 0))
                        .interval());
        assertThat(held).isBetween(0.91, 0.995);
    }

    /// Pairs that seldom differ, as with a good method.
    @ParameterizedTest
    @CsvSource({"20, 0.01, 0.04", "50, 0.02, 0.02", "100, 0.01, 0.05", "200, 0.05, 0.15"})
    void intervalsOfDifferencesContainTheTruth(int count, double better, double worse) {
        double held = coverage(
                better - worse,
                random -> Intervals.difference(draw(random, count, d -> d < better ? 1 : d < better + worse ? -1 : 0))
                        .interval());
        assertThat(held).isBetween(0.93, 1.0);
    }

    /// Fifths, as in a variable-tracking task: most samples have the full score, some do not.
    @ParameterizedTest
    @CsvSource({"25", "100", "400"})
    void intervalsOfGradedScoresContainTheTruth(int count) {
        double truth = 0.85 + 0.15 * 0.4;
        double held = coverage(
                truth,
                random -> Intervals.mean(draw(random, count, d -> d < 0.85 ? 1 : Math.floor((d - 0.85) / 0.15 * 5) / 5))
                        .interval());
        assertThat(held).isBetween(0.925, 1.0);
    }

    @Test
    void intervalsOfAveragesContainTheTruth() {
        double[] truths = {1, 0.99, 0.9, 0.6};
        double held = coverage(
                Arrays.stream(truths).average().orElseThrow(),
                random -> Intervals.average(Arrays.stream(truths)
                                .mapToObj(truth -> Intervals.mean(draw(random, 50, d -> d < truth ? 1 : 0)))
                                .toList())
                        .interval());
        assertThat(held).isBetween(0.93, 1.0);
    }

    private static double[] draw(SplittableRandom random, int count, DoubleUnaryOperator score) {
        double[] scores = new double[count];
        for (int i = 0; i < count; i++) {
            scores[i] = score.applyAsDouble(random.nextDouble());
        }
        return scores;
    }

    private static double coverage(double truth, Function<SplittableRandom, Interval> draw) {
        var random = new SplittableRandom(7);
        int draws = 4000;
        int held = 0;
        for (int i = 0; i < draws; i++) {
            held += draw.apply(random).contains(truth) ? 1 : 0;
        }
        return held / (double) draws;
    }
}
