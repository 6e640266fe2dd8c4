package io.shadowkv.server;

import java.time.Duration;
import java.util.List;

/// Options of a server.
///
/// @param host address to listen on
/// @param port port to listen on; 0 takes a free one
/// @param apiKeys keys of which each request must present one; empty accepts every request
/// @param limits limits on requests
/// @param pingInterval maximum time without a byte to a client that waits. A client that has gone is
///     noticed at the second write after it closed the connection
public record ServerOptions(String host, int port, List<String> apiKeys, ServerLimits limits, Duration pingInterval) {
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

    public ServerOptions withPort(int other) {
        return new ServerOptions(host, other, apiKeys, limits, pingInterval);
    }

    public ServerOptions withApiKeys(List<String> keys) {
        return new ServerOptions(host, port, keys, limits, pingInterval);
    }

    public ServerOptions withLimits(ServerLimits other) {
        return new ServerOptions(host, port, apiKeys, other, pingInterval);
    }

    public ServerOptions withPingInterval(Duration interval) {
        return new ServerOptions(host, port, apiKeys, limits, interval);
    }
}
