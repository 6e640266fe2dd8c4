package io.shadowkv.engine;

/// Thrown when a request is refused before anything is allocated. The message gives the bytes
/// needed and available.
public final class MemoryPlanException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public MemoryPlanException(String message) {
        super(message);
    }
}
