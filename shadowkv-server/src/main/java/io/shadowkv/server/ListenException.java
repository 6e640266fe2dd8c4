package io.shadowkv.server;

/// Thrown when the server cannot listen on its address. The message gives the address and the
/// reason.
public final class ListenException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public ListenException(String message, Throwable cause) {
        super(message, cause);
    }
}
