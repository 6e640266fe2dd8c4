package io.shadowkv.cli.process;

import io.shadowkv.engine.Cancellation;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Converts Ctrl-C to a cancellation and lets the command end by itself, so that it keeps the
/// generated text and leaves no partial files.
///
/// The JVM exits with the signal's code, 130, when the command has ended or waits for input, or
/// after ten seconds.
public final class Interruption implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 10;
    private static final long LOOK_MILLIS = 20;

    private final Cancellation cancellation = new Cancellation();
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile boolean isWaitingForInput;
    private final Thread hook = new Thread(this::interrupt, "shadowkv-interruption");

    private Interruption() {}

    public static Interruption watch() {
        var interruption = new Interruption();
        Runtime.getRuntime().addShutdownHook(interruption.hook);
        return interruption;
    }

    public Cancellation cancellation() {
        return cancellation;
    }

    /// Wraps `source` to detect a command that waits for input, which has nothing to finish.
    public InputStream watched(InputStream source) {
        return new FilterInputStream(source) {
            @Override
            public int read() throws IOException {
                isWaitingForInput = true;
                try {
                    return super.read();
                } finally {
                    isWaitingForInput = false;
                }
            }

            @Override
            public int read(byte[] target, int offset, int length) throws IOException {
                isWaitingForInput = true;
                try {
                    return super.read(target, offset, length);
                } finally {
                    isWaitingForInput = false;
                }
            }
        };
    }

    /// Marks the command as ended.
    @Override
    public void close() {
        ended.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The JVM is already shutting down, and the hook has nothing left to wait for.
            return;
        }
    }

    private void interrupt() {
        cancellation.cancel();
        try {
            for (long waited = 0; waited < PATIENCE_SECONDS * 1000; waited += LOOK_MILLIS) {
                if (isWaitingForInput || ended.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
                    return;
                }
            }
            System.err.println("shadowkv: interrupted, and the command did not end within " + PATIENCE_SECONDS + " s");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
