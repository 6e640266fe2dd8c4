package io.shadowkv.engine.batch;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class ReadingPaceTest {
    private static final long MILLISECOND = 1_000_000;

    private static ReadingPace pace(int gapMillis) {
        return new ReadingPace(Duration.ofMillis(gapMillis).toNanos());
    }

    /// Steps that take as long as they have few processors, until the share no longer changes.
    private static double settled(ReadingPace pace, double wholeMillis) {
        for (int i = 0; i < 100; i++) {
            pace.stepped((long) (wholeMillis * MILLISECOND / (1 - pace.share())));
        }
        return pace.share();
    }

    @Test
    void readingGetsTheLargestShareThatKeepsTheGap() {
        assertThat(settled(pace(50), 4)).isEqualTo(0.88);
        assertThat(settled(pace(50), 7)).isEqualTo(0.82);
        assertThat(settled(pace(50), 14)).isEqualTo(0.7);
        assertThat(settled(pace(20), 14)).isEqualTo(0.5);
    }

    /// A batch that grew and shrank again.
    @Test
    void theShareFollowsTheBatch() {
        ReadingPace pace = pace(50);
        assertThat(settled(pace, 18)).isEqualTo(0.64);
        assertThat(settled(pace, 7)).isEqualTo(0.82);
        assertThat(settled(pace, 18)).isEqualTo(0.64);
    }

    /// One slow step, such as the first one with a share, which is recorded, changes nothing.
    @Test
    void oneSlowStepDoesNotCount() {
        ReadingPace pace = pace(50);
        for (int i = 0; i < 20; i++) {
            assertThat(pace.stepped(45 * MILLISECOND)).isFalse();
            assertThat(pace.stepped(300 * MILLISECOND)).isFalse();
            assertThat(pace.stepped(300 * MILLISECOND)).isFalse();
        }
    }

    @Test
    void turnsGetWhatTheStepLeaves() {
        assertThat(pace(50).budget(15 * MILLISECOND)).isEqualTo(35 * MILLISECOND);
        assertThat(pace(50).budget(49 * MILLISECOND)).isEqualTo(20 * MILLISECOND);
        assertThat(pace(5).budget(49 * MILLISECOND)).isEqualTo(5 * MILLISECOND);
    }
}
