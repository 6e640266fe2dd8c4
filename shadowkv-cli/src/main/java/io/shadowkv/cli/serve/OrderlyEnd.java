package io.shadowkv.cli.serve;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Keeps the process alive at SIGTERM until the command has ended, at most for a time.
final class OrderlyEnd implements AutoCloseable {
    private final CountDownLatch ended = new CountDownLatch(1);
    private final Thread hook;

    private OrderlyEnd(Duration limit) {
        this.hook = new Thread(() -> await(limit), "shadowkv-orderly-end");
    }

    static OrderlyEnd within(Duration limit) {
        OrderlyEnd end = new OrderlyEnd(limit);
        Runtime.getRuntime().addShutdownHook(end.hook);
        return end;
    }

    private void await(Duration limit) {
        try {
            // The process ends after the limit either way.
            boolean _ = ended.await(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// The command has ended.
    @Override
    public void close() {
        ended.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The JVM is going down already, and the hook waits for nothing more.
            return;
        }
    }
}
