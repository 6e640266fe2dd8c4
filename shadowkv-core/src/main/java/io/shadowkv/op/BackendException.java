package io.shadowkv.op;

/// Thrown when a backend cannot be used, or when its device or a library it needs fails. The
/// message says what failed and what to do.
public class BackendException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public BackendException(String message) {
        super(message);
    }

    public BackendException(String message, Throwable cause) {
        super(message, cause);
    }
}
