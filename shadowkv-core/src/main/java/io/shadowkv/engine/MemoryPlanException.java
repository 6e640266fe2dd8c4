package io.shadowkv.engine;

/// A request was refused before anything was allocated; the message names the bytes needed and available.
public final class MemoryPlanException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public MemoryPlanException(String message) {
        super(message);
    }
}
