package io.shadowkv.cli.bench.serve;

import io.shadowkv.cli.process.ProgressLine;
import io.shadowkv.engine.Cancellation;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Shows progress on standard error and ends work at the user's request.
///
/// @param err where progress is printed
/// @param style how progress is shown; off shows nothing
/// @param cancellation the user's request to end
record LoadWatcher(PrintWriter err, ProgressLine.Style style, Cancellation cancellation) {
    private static final long LOOK_MILLIS = 20;

    /// Creates a progress bar for one piece of work.
    ProgressLine bar(String what) {
        return new ProgressLine(err, style, what);
    }

    boolean isCut() {
        return cancellation.isRequested();
    }

    /// Runs work that may wait long for the server.
    ///
    /// @throws CancellationException if the user ends it
    /// @throws InterruptedException if the thread is interrupted
    void run(Callable<?> work) throws InterruptedException {
        FutureTask<?> task = new FutureTask<>(work);
        Thread.ofVirtual().name("shadowkv-bench").start(task);
        boolean isDone = false;
        while (!isDone) {
            if (isCut()) {
                task.cancel(true);
                throw new CancellationException("interrupted");
            }
            isDone = isDone(task);
        }
    }

    private static boolean isDone(FutureTask<?> task) throws InterruptedException {
        try {
            task.get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new IllegalStateException("the work failed", e.getCause());
        }
    }
}
