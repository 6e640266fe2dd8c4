package io.shadowkv.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/// When an engine looks at what steps fetch, and what it keeps.
class FetchWatchTest {
    private static SequenceFetches step(long number) {
        return new SequenceFetches(number, 1, List.of());
    }

    @Test
    void nobodyLooksWithoutAWatch() {
        FetchWatch.Watches watches = new FetchWatch.Watches();
        assertThat(watches.areDue(0)).isFalse();
        try (FetchWatch watch = watches.open()) {
            assertThat(watches.areDue(0)).isTrue();
            assertThat(watch.take()).isEmpty();
        }
        assertThat(watches.areDue(0)).isFalse();
    }

    /// A look of 10 ns at 100 is followed by 490 ns without one.
    @Test
    void looksTakeAFiftiethOfTheTime() {
        FetchWatch.Watches watches = new FetchWatch.Watches();
        try (FetchWatch watch = watches.open()) {
            watches.looked(List.of(step(1)), 100, 110);
            assertThat(watches.areDue(599)).isFalse();
            assertThat(watches.areDue(600)).isTrue();
            assertThat(watch.take()).containsExactly(step(1));
        }
    }

    @Test
    void everyWatchKeepsTheNewest() {
        FetchWatch.Watches watches = new FetchWatch.Watches();
        try (FetchWatch first = watches.open();
                FetchWatch second = watches.open()) {
            for (int i = 0; i < 300; i++) {
                watches.looked(List.of(step(i)), 0, 0);
            }
            Long[] newest = LongStream.range(44, 300).boxed().toArray(Long[]::new);
            assertThat(first.take()).extracting(SequenceFetches::sequence).containsExactly(newest);
            assertThat(second.take()).hasSize(256);
        }
    }
}
