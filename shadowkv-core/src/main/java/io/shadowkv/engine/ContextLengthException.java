package io.shadowkv.engine;

/// A sequence would not fit the model's context; the message names both numbers.
public final class ContextLengthException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public ContextLengthException(String message) {
        super(message);
    }
}
