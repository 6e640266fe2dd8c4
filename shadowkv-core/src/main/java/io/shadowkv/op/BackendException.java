package io.shadowkv.op;

/// A backend cannot be used, or its device or a library it needs failed; the message names what, and what to do.
public class BackendException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public BackendException(String message) {
        super(message);
    }

    public BackendException(String message, Throwable cause) {
        super(message, cause);
    }
}
