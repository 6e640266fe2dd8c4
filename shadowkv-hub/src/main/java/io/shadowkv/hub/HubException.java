package io.shadowkv.hub;

import java.io.IOException;

/// The hub refused, cannot be reached or sent unexpected content, or the cache folder cannot store
/// it. The message says what was asked, what was found and what to do.
public final class HubException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public HubException(String message) {
        super(message);
    }

    public HubException(String message, Throwable cause) {
        super(message, cause);
    }

    /// `what` failed because of the file system; the message includes its reason.
    static HubException io(String what, IOException cause) {
        String reason = cause.getMessage();
        return new HubException(
                what + ": " + cause.getClass().getSimpleName() + (reason == null ? "" : " (" + reason + ")"), cause);
    }
}
