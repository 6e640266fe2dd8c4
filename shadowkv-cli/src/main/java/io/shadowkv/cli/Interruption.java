package io.shadowkv.cli;

import io.shadowkv.engine.Cancellation;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Turns Ctrl-C into a cancellation and lets the command end by itself: what was generated is kept, files are whole.
///
/// The JVM exits with the signal's code, 130, once the command has ended or ten seconds have passed.
final class Interruption implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 10;

    private final Cancellation cancellation = new Cancellation();
    private final CountDownLatch ended = new CountDownLatch(1);
    private final Thread hook = new Thread(this::interrupt, "shadowkv-interruption");

    private Interruption() {}

    static Interruption watch() {
        var interruption = new Interruption();
        Runtime.getRuntime().addShutdownHook(interruption.hook);
        return interruption;
    }

    Cancellation cancellation() {
        return cancellation;
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

    private void interrupt() {
        cancellation.cancel();
        try {
            if (!ended.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                System.err.println("shadowkv: interrupted, and the command did not end within " + PATIENCE_SECONDS + " s");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
