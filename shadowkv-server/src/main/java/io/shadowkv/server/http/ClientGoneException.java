package io.shadowkv.server.http;

import java.io.IOException;

/// Thrown when the client has closed the connection, or the connection was lost.
public final class ClientGoneException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public ClientGoneException(IOException cause) {
        super("the client has closed the connection: " + cause.getMessage(), cause);
    }
}
