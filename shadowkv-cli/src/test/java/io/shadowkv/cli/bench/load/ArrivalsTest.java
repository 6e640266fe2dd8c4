package io.shadowkv.cli.bench.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ArrivalsTest {
    private static final int COUNT = 20_001;

    private static double[] gaps(long[] times) {
        double[] gaps = new double[times.length - 1];
        for (int i = 0; i < gaps.length; i++) {
            gaps[i] = (times[i + 1] - times[i]) / 1e9;
        }
        return gaps;
    }

    /// Gaps of a Poisson process are exponentially distributed: the deviation equals the mean, and
    /// 1 - 1/e of them are shorter than it.
    @ParameterizedTest
    @ValueSource(doubles = {0.25, 8, 1000})
    void gapsAreExponential(double rate) {
        double[] gaps = gaps(Arrivals.poisson(rate, COUNT, 7));
        double mean = Arrays.stream(gaps).average().orElseThrow();
        double deviation = Math.sqrt(Arrays.stream(gaps)
                .map(gap -> (gap - mean) * (gap - mean))
                .average()
                .orElseThrow());
        double shorter = Arrays.stream(gaps).filter(gap -> gap < mean).count() / (double) gaps.length;
        // Four standard errors of 20,000 draws.
        assertThat(mean).isCloseTo(1 / rate, within(0.03 / rate));
        assertThat(deviation).isCloseTo(1 / rate, within(0.04 / rate));
        assertThat(shorter).isCloseTo(1 - Math.exp(-1), within(0.015));
    }

    @Test
    void aSeedGivesTheSameTimes() {
        assertThat(Arrivals.poisson(3, 100, 1))
                .isEqualTo(Arrivals.poisson(3, 100, 1))
                .isSorted();
        assertThat(Arrivals.poisson(3, 100, 1)).isNotEqualTo(Arrivals.poisson(3, 100, 2));
        assertThat(Arrivals.poisson(3, 100, 1)[0]).isZero();
        assertThat(Arrivals.poisson(3, 0, 1)).isEmpty();
    }

    @Test
    void aTimeLimitCutsTheArrivals() {
        long[] times = {0, 10, 20, 30};
        assertThat(Arrivals.before(times, 20)).containsExactly(0, 10);
        assertThat(Arrivals.before(times, 21)).containsExactly(0, 10, 20);
        assertThat(Arrivals.before(times, Long.MAX_VALUE)).isEqualTo(times);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, -1, Double.NaN, Double.POSITIVE_INFINITY})
    void aRateMustBePositive(double rate) {
        assertThatThrownBy(() -> Arrivals.poisson(rate, 10, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("expected more than 0");
    }
}
