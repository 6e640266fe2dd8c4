package io.shadowkv.engine.laws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.shadowkv.RandomCheckpoint;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.batch.Sequence;
import io.shadowkv.op.reference.ReferenceBackend;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Prompts that are read on a part of a device while other sequences decode.
class DividedReadingTest {
    private static final int VOCABULARY = RandomCheckpoint.SMALL.vocabulary();

    @TempDir
    Path temporary;

    private final WatchedBackend watched = new WatchedBackend(new ReferenceBackend());
    private final DeviceLikeBackend device = new DeviceLikeBackend(watched);
    private final CheckedBackend checked = new CheckedBackend(device);

    private SchedulerBench open(EngineOptions options) {
        Path folder = RandomCheckpoint.SMALL.write(temporary.resolve("checkpoint"));
        return new SchedulerBench(folder, checked, options.withPrefillRows(4));
    }

    private static Sequence decoding(SchedulerBench bench, int tokens) {
        Sequence first = bench.submit("first", Logits.ids(10, VOCABULARY, 1), tokens);
        while (!bench.heard().contains("first token")) {
            bench.roundAndCheck();
        }
        return first;
    }

    /// A unit that fails ends its prompt, and no other sequence.
    @Test
    void aUnitThatFailsEndsItsPromptOnly() {
        try (SchedulerBench bench = open(EngineOptions.DEFAULT)) {
            int[] alone = bench.finish(bench.submit("alone", Logits.ids(10, VOCABULARY, 1), 30));
            Sequence first = decoding(bench, 30);
            Sequence second = bench.submit("second", Logits.ids(60, VOCABULARY, 2), 3);
            watched.fail("prefill", 5);
            while (!second.isFinished()) {
                bench.roundAndCheck();
            }
            assertThat(device.readings()).isPositive();
            assertThatIllegalStateException().isThrownBy(second::completion).withMessageContaining("prefill failed");
            assertThat(bench.finish(first)).isEqualTo(alone);
            assertThat(bench.scheduler().ledger().entries()).isZero();
        }
        checked.assertNothingHeld();
    }

    /// The scheduler can be closed while a prompt is read at the same time as others decode.
    @Test
    void closingDuringAReadingFreesEverything() {
        try (SchedulerBench bench = open(EngineOptions.DEFAULT)) {
            decoding(bench, 30);
            bench.submit("second", Logits.ids(60, VOCABULARY, 2), 3);
            bench.roundAndCheck();
            bench.roundAndCheck();
            assertThat(device.readings()).isPositive();
        }
        checked.assertNothingHeld();
    }
}
