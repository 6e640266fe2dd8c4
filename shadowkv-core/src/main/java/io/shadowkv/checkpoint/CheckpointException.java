package io.shadowkv.checkpoint;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;

/// Thrown when a checkpoint is unreadable or malformed. The message says what was found and what to
/// do.
public final class CheckpointException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public CheckpointException(String message) {
        super(message);
    }

    public CheckpointException(String message, Throwable cause) {
        super(message, cause);
    }

    /// A file could not be read or written. The message has the file system's reason, or says that
    /// the thread was interrupted; its interrupt status is then still set.
    ///
    /// @param act what was tried, such as `read FILE`
    public static CheckpointException io(String act, IOException cause) {
        if (cause instanceof ClosedByInterruptException) {
            return new CheckpointException(
                    "the thread was interrupted before it could " + act
                            + ". Clear its interrupt status and try again if that was not intended",
                    cause);
        }
        String reason = cause.getMessage();
        return new CheckpointException(
                "cannot " + act + ": " + cause.getClass().getSimpleName() + (reason == null ? "" : " (" + reason + ")"),
                cause);
    }
}
