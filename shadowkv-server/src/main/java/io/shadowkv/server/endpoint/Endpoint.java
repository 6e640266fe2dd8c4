package io.shadowkv.server.endpoint;

import io.shadowkv.server.http.Exchange;

/// Answers the requests to one path.
@FunctionalInterface
public interface Endpoint {
    /// @throws io.shadowkv.server.error.ApiException if the request is refused
    /// @throws io.shadowkv.server.http.ClientGoneException if the client has closed the connection
    /// @throws InterruptedException if the server stops
    void answer(Exchange exchange) throws InterruptedException;
}
