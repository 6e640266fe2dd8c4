package io.shadowkv.eval.worker;

import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// Hands a process's standard error on and remembers the end of it, which often says why it ended.
/// Thread-safe.
final class LastWords {
    private static final int KEPT = 5;

    /// The JVM's own first words, which no switch turns off and which say nothing of an end.
    private static final String INCUBATOR_WARNING = "Using incubator modules: jdk.incubator.vector";

    private final Deque<String> kept = new ArrayDeque<>();
    private final CountDownLatch end = new CountDownLatch(1);
    private final String prefix;
    private final Consumer<String> listener;

    LastWords(String prefix, Consumer<String> listener) {
        this.prefix = prefix;
        this.listener = listener;
    }

    void listenTo(InputStream errors) {
        Thread.ofPlatform().name(prefix + "errors").daemon().start(() -> {
            Lines.forEach(errors, this::hear);
            end.countDown();
        });
    }

    private void hear(String line) {
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

    /// The end of a message: what was said last, if anything was.
    String quoted() {
        synchronized (kept) {
            return kept.isEmpty() ? "" : "; the last it said:\n  " + String.join("\n  ", kept);
        }
    }
}
