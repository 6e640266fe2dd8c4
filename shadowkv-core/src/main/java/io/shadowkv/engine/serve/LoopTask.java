package io.shadowkv.engine.serve;

import io.shadowkv.engine.EngineUnavailableException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/// A piece of work for the engine's thread, in the order of arrival.
interface LoopTask {
    void run();

    /// The engine has become unavailable before the task could run.
    void refuse(EngineUnavailableException reason);

    /// True if it must wait until all sequences have ended.
    default boolean isExclusive() {
        return false;
    }

    /// True if it submits a request.
    default boolean isRequest() {
        return false;
    }

    /// A task whose caller waits for its result.
    static LoopTask of(FutureTask<?> future) {
        return new LoopTask() {
            @Override
            public void run() {
                future.run();
            }

            @Override
            public void refuse(EngineUnavailableException reason) {
                future.cancel(false);
            }
        };
    }

    /// Waits for a task that the engine's thread runs, also if the calling thread is interrupted.
    ///
    /// @throws EngineUnavailableException if it was cancelled because the engine has ended
    static <T> T resultOf(FutureTask<T> future) {
        boolean isInterrupted = false;
        try {
            while (true) {
                try {
                    return future.get();
                } catch (InterruptedException e) {
                    isInterrupted = true;
                } catch (CancellationException e) {
                    throw new EngineUnavailableException("the engine is closed", e);
                } catch (ExecutionException e) {
                    if (e.getCause() instanceof RuntimeException cause) {
                        throw cause;
                    }
                    throw new IllegalStateException("a task of the engine failed", e.getCause());
                }
            }
        } finally {
            if (isInterrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
