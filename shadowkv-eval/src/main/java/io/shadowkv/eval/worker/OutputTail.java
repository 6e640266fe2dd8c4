package io.shadowkv.eval.worker;

import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// Forwards a process's standard error and keeps its last lines, which often say why the process
/// ended. Thread-safe.
final class OutputTail {
    private static final int KEPT = 5;

    /// A warning that every JVM with this module prints and that cannot be turned off.
    private static final String INCUBATOR_WARNING = "Using incubator modules: jdk.incubator.vector";

    private final Deque<String> kept = new ArrayDeque<>();
    private final CountDownLatch end = new CountDownLatch(1);
    private final String prefix;
    private final Consumer<String> listener;

    OutputTail(String prefix, Consumer<String> listener) {
        this.prefix = prefix;
        this.listener = listener;
    }

    void follow(InputStream errors) {
        Thread.ofPlatform().name(prefix + "errors").daemon().start(() -> {
            LineReader.forEach(errors, this::add);
            end.countDown();
        });
    }

    private void add(String line) {
        if (line.endsWith(INCUBATOR_WARNING)) {
            return;
        }
        synchronized (kept) {
            kept.add(line);
            if (kept.size() > KEPT) {
                kept.remove();
            }
        }
        listener.accept(prefix + line);
    }

    void awaitEnd(Duration within) throws InterruptedException {
        boolean _ = end.await(within.toNanos(), TimeUnit.NANOSECONDS);
    }

    /// The last lines as the end of a message; empty if there are none.
    String quoted() {
        synchronized (kept) {
            return kept.isEmpty() ? "" : "; its last output:\n  " + String.join("\n  ", kept);
        }
    }
}
