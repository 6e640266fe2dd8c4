package io.shadowkv.cuda.device;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What a plan may promise of page-locked memory. Needs no GPU.
class PinnedPromiseTest {
    private static final long GIB = 1L << 30;

    /// A plan was admitted and then refused by the locking, because the JVM grew and page tables were made meanwhile
    /// (Yi-9B's shape at 122K tokens on an H200). After both, what is promised must still leave the reserve.
    @ParameterizedTest
    @CsvSource({"120, 0", "120, 1", "120, 30", "8, 30", "5, 2", "4, 2", "1, 0", "0, 0"})
    void whatIsPromisedCanBeLockedAfterTheJvmHasGrown(long availableGib, long growthGib) {
        long promised = PinnedPool.promised(availableGib * GIB, growthGib * GIB);
        long grown = Math.min(growthGib, 2) * GIB;
        long tables = promised / 4096 * 16;
        assertThat(promised).isNotNegative();
        if (promised > 0) {
            assertThat(availableGib * GIB - grown - tables - promised).isGreaterThanOrEqualTo(2 * GIB);
        }
        assertThat(promised)
                .as("no more is held back than needed")
                .isGreaterThanOrEqualTo(availableGib * GIB - grown - 2 * GIB - availableGib * GIB / 200);
    }
}
