package io.shadowkv.server;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Options of a server.
///
/// @param host address to listen on
/// @param port port to listen on; 0 takes a free one
/// @param apiKeys keys of which each request must present one; empty accepts every request
/// @param limits limits on requests
/// @param pingInterval maximum time without a byte to a client that waits. A client that has gone is
///     noticed at the second write after it closed the connection
/// @param documentFolder folder in which clients save documents; null if they may not
public record ServerOptions(
        String host,
        int port,
        List<String> apiKeys,
        ServerLimits limits,
        Duration pingInterval,
        @Nullable Path documentFolder) {
    public static final ServerOptions DEFAULT =
            new ServerOptions("127.0.0.1", 8080, List.of(), ServerLimits.DEFAULT, Duration.ofSeconds(1));

    public ServerOptions {
        if (port < 0 || port > 65_535) {
            throw new IllegalArgumentException("port is " + port + "; expected 0 (any free port) to 65535");
        }
        apiKeys = List.copyOf(apiKeys);
        if (apiKeys.stream().anyMatch(String::isBlank)) {
            throw new IllegalArgumentException("an API key is empty; give at least one character");
        }
        if (!pingInterval.isPositive()) {
            throw new IllegalArgumentException("ping interval is " + pingInterval + "; expected a positive duration");
        }
    }

    /// Options without a folder for documents.
    public ServerOptions(String host, int port, List<String> apiKeys, ServerLimits limits, Duration pingInterval) {
        this(host, port, apiKeys, limits, pingInterval, null);
    }

    public ServerOptions withDocumentFolder(@Nullable Path folder) {
        return new ServerOptions(host, port, apiKeys, limits, pingInterval, folder);
    }

    public ServerOptions withPort(int other) {
        return new ServerOptions(host, other, apiKeys, limits, pingInterval, documentFolder);
    }

    public ServerOptions withApiKeys(List<String> keys) {
        return new ServerOptions(host, port, keys, limits, pingInterval, documentFolder);
    }

    public ServerOptions withLimits(ServerLimits other) {
        return new ServerOptions(host, port, apiKeys, other, pingInterval, documentFolder);
    }

    public ServerOptions withPingInterval(Duration interval) {
        return new ServerOptions(host, port, apiKeys, limits, interval, documentFolder);
    }
}
