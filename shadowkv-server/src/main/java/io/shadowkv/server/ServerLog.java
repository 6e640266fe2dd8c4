package io.shadowkv.server;

/// Receives what the server writes down. Called by many threads.
public interface ServerLog {
    /// One request that was answered. The line has no prompt and no answer.
    void access(String line);

    /// A failure of the server itself.
    ///
    /// @param request method and path
    void defect(String request, Throwable cause);
}
