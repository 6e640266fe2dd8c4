package io.shadowkv.cli.serve;

import java.time.Duration;

/// Limits of the JDK's HTTP server, which it reads from system properties when it is first used.
public final class HttpLimits {
    private static final String PREFIX = "sun.net.httpserver.";

    /// Clients reuse connections; one that waits costs a few kilobytes.
    private static final int IDLE_CONNECTIONS = 20_000;

    private static final int IDLE_SECONDS = 300;
    /// A request that arrives more slowly is dropped, so that half-sent ones do not stay.
    private static final int REQUEST_SECONDS = 120;

    private static final int HEADER_BYTES = 65_536;
    /// Time that a client has to take the end of its answer.
    private static final int LAST_BYTES_SECONDS = 120;

    private HttpLimits() {}

    /// Sets the properties, for the first server of the process.
    ///
    /// @param requestTime time limit of a request; zero for none
    public static void apply(Duration requestTime) {
        // Without it, each token of a stream would wait for the client's acknowledgement of the one before.
        set("nodelay", "true");
        set("maxIdleConnections", IDLE_CONNECTIONS);
        set("idleInterval", IDLE_SECONDS);
        set("maxReqTime", REQUEST_SECONDS);
        set("maxReqHeaderSize", HEADER_BYTES);
        if (!requestTime.isZero()) {
            set("maxRspTime", requestTime.toSeconds() + LAST_BYTES_SECONDS);
        }
    }

    private static void set(String name, Object value) {
        System.setProperty(PREFIX + name, String.valueOf(value));
    }
}
