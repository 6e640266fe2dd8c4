package io.shadowkv.op;

/// Memory that was asked for is not available; the message says how much, where, and for what.
public final class BackendMemoryException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public BackendMemoryException(String message) {
        super(message);
    }

    public BackendMemoryException(String message, Throwable cause) {
        super(message, cause);
    }
}
