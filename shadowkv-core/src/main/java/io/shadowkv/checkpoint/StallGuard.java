package io.shadowkv.checkpoint;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;

/// Closes a stream that has been silent for too long, so that its reader fails instead of waiting forever.
///
/// The JDK's request timeout ends with the headers; a server that stops in the middle of a body would hang a pull.
final class StallGuard implements AutoCloseable {
    private final InputStream body;
    private final long limitNanos;
    private final Thread watcher;
    private volatile long lastNanos = System.nanoTime();
    private volatile boolean stalled;

    StallGuard(InputStream body, Duration limit) {
        this.body = body;
        this.limitNanos = limit.toNanos();
        this.watcher = Thread.ofVirtual().name("pull-stall-guard").start(this::watch);
    }

    /// Reads some bytes; -1 at the end.
    ///
    /// @throws HubTransientException if the stream was silent for longer than the limit
    int read(byte[] buffer) throws IOException {
        lastNanos = System.nanoTime();
        int count;
        try {
            count = body.read(buffer);
        } catch (IOException e) {
            throw stalled ? silent() : e;
        }
        if (count < 0 && stalled) {
            throw silent();
        }
        return count;
    }

    /// Reads to the end, at most one byte more than `limit`.
    byte[] readAll(int limit) throws IOException {
        var bytes = new ByteArrayOutputStream();
        byte[] buffer = new byte[1 << 14];
        for (int count = read(buffer); count >= 0 && bytes.size() <= limit; count = read(buffer)) {
            bytes.write(buffer, 0, count);
        }
        return bytes.toByteArray();
    }

    private HubTransientException silent() {
        return new HubTransientException(
                "the server was silent for " + Duration.ofNanos(limitNanos).toSeconds() + " s", Duration.ZERO);
    }

    private void watch() {
        try {
            for (long left = limitNanos; left > 0; left = limitNanos - (System.nanoTime() - lastNanos)) {
                Thread.sleep(Duration.ofNanos(left));
            }
            stalled = true;
            body.close();
        } catch (InterruptedException e) {
            // The reader is done.
        } catch (IOException e) {
            System.getLogger(StallGuard.class.getName())
                    .log(System.Logger.Level.DEBUG, "closing a stalled download failed", e);
        }
    }

    @Override
    public void close() {
        watcher.interrupt();
    }
}
