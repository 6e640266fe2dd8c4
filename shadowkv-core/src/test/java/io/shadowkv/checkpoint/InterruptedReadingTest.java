package io.shadowkv.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.Fixtures;
import java.lang.foreign.Arena;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Path;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// A thread that is interrupted cannot map a file. The message says so, and the thread stays
/// interrupted.
class InterruptedReadingTest {
    private static final Path MODEL = Fixtures.needleModel();

    @AfterEach
    void clear() {
        Thread.interrupted();
    }

    private static void check(ThrowingCallable reading, Path file) {
        Thread.currentThread().interrupt();
        assertThatThrownBy(reading)
                .isInstanceOf(CheckpointException.class)
                .hasMessageStartingWith("the thread was interrupted before it could ")
                .hasMessageContaining(file.toString())
                .hasMessageContaining("Clear its interrupt status")
                .hasCauseInstanceOf(ClosedByInterruptException.class);
        assertThat(Thread.interrupted()).as("interrupt status").isTrue();
    }

    @Test
    void ofAModel() {
        check(() -> Checkpoint.open(MODEL).close(), MODEL.resolve("model-00001-of-00002.safetensors"));
    }

    @Test
    void ofOneFile() {
        Path weights = MODEL.resolve("model-00002-of-00002.safetensors");
        try (Arena arena = Arena.ofConfined()) {
            check(() -> Safetensors.open(weights, arena), weights);
        }
    }
}
