package io.shadowkv.server;

import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.http.Exchange;
import java.net.URI;
import org.jspecify.annotations.Nullable;

/// Refuses requests that a page of another site makes in a user's browser. Browsers name the page's site
/// in the header `Origin`; other clients do not send it. Without this check any site could have a local
/// server read documents. It does not protect a server without an API key against a site whose name was
/// made to point at this machine (DNS rebinding): such a page names the server's own host.
final class Origins {
    private Origins() {}

    /// @throws ApiException if a page of another site sent a request that changes something
    static void check(Exchange exchange) {
        String origin = exchange.header("Origin");
        if (origin == null || exchange.method().equals("GET")) {
            return;
        }
        String site = authority(origin);
        // A proxy may pass another host on. A page cannot set this header without being asked first.
        if (!isSame(site, exchange.header("Host")) && !isSame(site, exchange.header("X-Forwarded-Host"))) {
            throw ApiException.refused(
                    403,
                    null,
                    "origin_not_allowed",
                    "a page of " + origin + " sent this request to " + exchange.header("Host")
                            + "; the server answers only its own page and programs. Send it from a program, or let a"
                            + " proxy serve both under one name and pass X-Forwarded-Host");
        }
    }

    private static boolean isSame(@Nullable String site, @Nullable String host) {
        return site != null && host != null && site.equalsIgnoreCase(host);
    }

    private static @Nullable String authority(String origin) {
        try {
            return URI.create(origin).getRawAuthority();
        } catch (IllegalArgumentException e) {
            return null;
        }
    }
}
