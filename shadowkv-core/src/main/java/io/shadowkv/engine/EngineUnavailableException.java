package io.shadowkv.engine;

import org.jspecify.annotations.Nullable;

/// Thrown by an engine that is closed, that is being drained, or whose backend is broken. The message
/// says which.
public final class EngineUnavailableException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    public EngineUnavailableException(String message) {
        super(message);
    }

    public EngineUnavailableException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    /// The same reason, thrown at another place.
    public EngineUnavailableException(EngineUnavailableException reason) {
        super(reason.getMessage(), reason.getCause());
    }
}
