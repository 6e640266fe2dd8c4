package io.shadowkv.cuda.device;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.cuda.ffi.CudaException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Tests the limit of blocks for kernels whose blocks wait for each other.
class ResidencyTest {
    private static final int MULTIPROCESSORS = 132;

    private static void check(Grid grid, int perMultiprocessor) {
        Residency.check("scoreLandmarks", grid, perMultiprocessor, MULTIPROCESSORS, "H200");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 116, 263, 264})
    void takesWhatRunsAtTheSameTime(int blocks) {
        assertThatCode(() -> check(Grid.of(blocks, 256), 2)).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 265, 1 << 20})
    void refusesAllElse(int blocks) {
        assertThatThrownBy(() -> check(Grid.of(blocks, 256).withShared(1000), 2))
                .isInstanceOf(CudaException.class)
                .hasMessageContaining("blocks of kernel scoreLandmarks wait for each other")
                .hasMessageContaining("%,d are asked for; H200 runs 1 to 264".formatted(blocks))
                .hasMessageContaining("2 on each of 132 multiprocessors at 256 threads and 1,000 bytes");
    }

    @Test
    void countsBlocksOfAllDimensions() {
        assertThatThrownBy(() -> check(new Grid(100_000, 60_000, 2, 256, 0), 2))
                .hasMessageContaining("12,000,000,000 are asked for");
        assertThatThrownBy(() -> check(Grid.of(1, 256), 0)).hasMessageContaining("1 to 0 of them");
    }
}
