package io.shadowkv.server.http;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One request and its answer, independent of the HTTP library. Used by one thread.
public interface Exchange {
    /// The method in capitals.
    String method();

    /// The path as it was sent, without query.
    String path();

    /// Method and path: how the log names the request.
    default String line() {
        return method() + " " + path();
    }

    /// A parameter of the query, decoded; null if it is absent.
    @Nullable
    String query(String name);

    /// A header of the request; null if it is absent.
    @Nullable
    String header(String name);

    /// Address of the client, for logs.
    String remote();

    /// Reads the body.
    ///
    /// @param limit maximum number of bytes
    /// @throws io.shadowkv.server.error.ApiException if the body is larger (413)
    /// @throws ClientGoneException if the client does not send the rest
    byte[] body(long limit);

    /// Sends a whole answer.
    ///
    /// @throws ClientGoneException if the client has closed the connection
    void respond(int status, Map<String, String> headers, byte[] body);

    /// Sends the head of an answer whose length is not known, at once.
    ///
    /// @throws ClientGoneException if the client has closed the connection
    Outgoing open(int status, Map<String, String> headers);

    /// The status that was sent; 0 before that.
    int status();

    /// Adds a fact to the line of the access log.
    void note(String name, Object value);
}
