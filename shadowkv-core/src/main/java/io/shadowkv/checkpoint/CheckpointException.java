package io.shadowkv.checkpoint;

import java.io.IOException;

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

    /// `what` failed because the file system said so; the message keeps its reason.
    public static CheckpointException io(String what, IOException cause) {
        String reason = cause.getMessage();
        return new CheckpointException(
                what + ": " + cause.getClass().getSimpleName() + (reason == null ? "" : " (" + reason + ")"), cause);
    }
}
