package io.shadowkv.cpu.vector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WorkerPoolTest {
    /// Two engines on one backend would share scratch buffers.
    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void aSecondCallerIsRefusedWhileATaskRuns(int threads) throws InterruptedException {
        try (var pool = new WorkerPool(threads)) {
            var started = new CountDownLatch(1);
            var refused = new CountDownLatch(1);
            Thread first = Thread.ofPlatform()
                    .name("first engine")
                    .start(() -> pool.each(1, (i, scratch) -> {
                        started.countDown();
                        await(refused);
                    }));
            started.await();
            assertThatThrownBy(() -> pool.each(4, (i, scratch) -> {}))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("computes for \"first engine\"")
                    .hasMessageContaining("Open a backend for each engine");
            refused.countDown();
            first.join();
            var ran = new AtomicInteger();
            pool.each(4, (i, scratch) -> ran.incrementAndGet());
            assertThat(ran).hasValue(4);
        }
    }

    @Test
    void aFailedTaskLeavesThePoolUsable() {
        try (var pool = new WorkerPool(2)) {
            assertThatThrownBy(() -> pool.each(3, (i, scratch) -> {
                        throw new IllegalArgumentException("task " + i);
                    }))
                    .isInstanceOf(IllegalArgumentException.class);
            var ran = new AtomicInteger();
            pool.each(3, (i, scratch) -> ran.incrementAndGet());
            assertThat(ran).hasValue(3);
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
