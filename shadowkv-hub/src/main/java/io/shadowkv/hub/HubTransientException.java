package io.shadowkv.hub;

import java.io.IOException;
import java.time.Duration;

/// An answer of the hub that a later try may better: overload, a fault of the server, a body cut short.
final class HubTransientException extends IOException {
    private static final long serialVersionUID = 1L;

    private final Duration asked;

    HubTransientException(String message, Duration asked) {
        super(message);
        this.asked = asked;
    }

    /// How long the server asked to wait; zero if it did not say.
    Duration asked() {
        return asked;
    }
}
