package io.shadowkv.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.cli.process.ProgressLine;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

final class TokenClockTest {
    private long now;

    private TokenClock ticking(long... steps) {
        var clock = new TokenClock(
                new ProgressLine(new PrintWriter(new StringWriter()), ProgressLine.Style.OFF, ""), () -> now);
        clock.token(1, "");
        for (long step : steps) {
            now += step;
            clock.token(1, "");
        }
        return clock;
    }

    @Test
    void speedIsThatOfTheMedianStep() {
        assertThat(ticking(10_000_000, 900_000_000, 10_000_000).speed(0, 4)).isEqualTo(100);
    }

    @Test
    void partsAreTimedOnTheirOwn() {
        TokenClock clock = ticking(1_000_000, 1_000_000, 50_000_000, 2_000_000, 2_000_000);
        assertThat(clock.speed(0, 3)).isEqualTo(1000);
        assertThat(clock.speed(3, 6)).isEqualTo(500);
    }

    @Test
    void oneTokenHasNoSpeed() {
        assertThat(ticking().speed(0, 5)).isNaN();
    }

    @Test
    void holdsAnyNumberOfTokens() {
        long[] steps = new long[1000];
        Arrays.fill(steps, 1_000_000);
        assertThat(ticking(steps).speed(0, 1001)).isEqualTo(1000);
    }
}
