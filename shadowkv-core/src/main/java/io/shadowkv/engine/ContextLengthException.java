package io.shadowkv.engine;

/// Thrown when a sequence would exceed the model's context. The message gives both lengths.
public final class ContextLengthException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public ContextLengthException(String message) {
        super(message);
    }
}
