package io.shadowkv.server.http;

/// The body of an answer that is written piece by piece. Used by one thread.
public interface Outgoing extends AutoCloseable {
    /// Sends bytes at once.
    ///
    /// @throws ClientGoneException if the client has closed the connection
    void send(byte[] bytes);

    /// Ends the body.
    ///
    /// @throws ClientGoneException if the client has closed the connection
    @Override
    void close();
}
