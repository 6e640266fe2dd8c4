package io.shadowkv.engine.answer;

import io.shadowkv.engine.Completion.FinishReason;
import org.jspecify.annotations.Nullable;

/// How a sequence ends: with a reason or with a failure. The first of each counts.
public final class Ending {
    private @Nullable FinishReason reason;
    private @Nullable RuntimeException failure;

    /// Ends the sequence unless `found` is null.
    public void finish(@Nullable FinishReason found) {
        reason = reason == null ? found : reason;
    }

    /// Ends a sequence that has not ended and was cancelled or had too little time.
    public void interrupt(boolean isCancelled, boolean isTimedOut) {
        if (!isFinished()) {
            reason = isCancelled ? FinishReason.CANCELLED : isTimedOut ? FinishReason.TIMEOUT : null;
        }
    }

    public void fail(RuntimeException thrown) {
        failure = failure == null ? thrown : failure;
    }

    public @Nullable RuntimeException failure() {
        return failure;
    }

    public boolean isFinished() {
        return reason != null || failure != null;
    }

    /// Why the sequence ended.
    ///
    /// @throws RuntimeException the failure of the sequence
    /// @throws IllegalStateException if the sequence has not ended
    public FinishReason reason() {
        if (failure != null) {
            throw failure;
        }
        if (reason == null) {
            throw new IllegalStateException("the sequence has not ended");
        }
        return reason;
    }
}
