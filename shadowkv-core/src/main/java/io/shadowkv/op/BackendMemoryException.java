package io.shadowkv.op;

/// Thrown when requested memory is not available. The message says how much was requested, where,
/// and for what.
public final class BackendMemoryException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public BackendMemoryException(String message) {
        super(message);
    }

    public BackendMemoryException(String message, Throwable cause) {
        super(message, cause);
    }
}
