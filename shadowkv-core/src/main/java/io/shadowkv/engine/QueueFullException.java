package io.shadowkv.engine;

/// Thrown when a request is refused because too many requests wait. The message gives the number.
/// The caller may try again later.
public final class QueueFullException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public QueueFullException(String message) {
        super(message);
    }
}
