package io.shadowkv.server.http;

/// Answers requests. Called by many threads at a time.
@FunctionalInterface
public interface Handler {
    /// @throws ClientGoneException if the client has closed the connection
    void handle(Exchange exchange);
}
