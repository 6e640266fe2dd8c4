package io.shadowkv.eval.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

final class ProgressTest {
    @Test
    void theTimeLeftGoesByTheSpeedOfThisRun() {
        assertThat(Watcher.Progress.of(50, 80, 10, Duration.ofSeconds(20)).left())
                .isEqualTo(Duration.ofSeconds(60));
        assertThat(Watcher.Progress.of(40, 80, 0, Duration.ofSeconds(20)).left())
                .isNull();
        assertThat(Watcher.Progress.of(80, 80, 1, Duration.ofSeconds(20)).left())
                .isZero();
    }
}
