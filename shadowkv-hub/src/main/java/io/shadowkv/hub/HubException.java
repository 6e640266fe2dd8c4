package io.shadowkv.hub;

import java.io.IOException;

/// The hub refused, cannot be reached, or sent something else than was asked for; or the cache folder cannot take
/// it. The message says what was asked, what was found and what to do.
public final class HubException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public HubException(String message) {
        super(message);
    }

    public HubException(String message, Throwable cause) {
        super(message, cause);
    }

    /// `what` failed because the file system said so; the message keeps its reason.
    static HubException io(String what, IOException cause) {
        String reason = cause.getMessage();
        return new HubException(
                what + ": " + cause.getClass().getSimpleName() + (reason == null ? "" : " (" + reason + ")"), cause);
    }
}
