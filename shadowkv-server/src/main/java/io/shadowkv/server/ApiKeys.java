package io.shadowkv.server;

import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.http.Exchange;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// Checks the keys of requests, and counts the requests that each key runs. Thread-safe.
final class ApiKeys {
    private static final String BEARER = "Bearer ";

    private final List<byte[]> digests;
    private final int requestsPerKey;
    private final Map<String, Integer> running = new ConcurrentHashMap<>();

    /// @param keys accepted keys; empty accepts every request
    /// @param requestsPerKey maximum number of requests of one key at a time; 0 for no limit
    ApiKeys(List<String> keys, int requestsPerKey) {
        this.digests = keys.stream().map(ApiKeys::digest).toList();
        this.requestsPerKey = requestsPerKey;
    }

    /// Checks the key of a request.
    ///
    /// @throws ApiException if it presents none of the keys (401)
    void check(Exchange exchange) {
        if (!digests.isEmpty() && !isKnown(digest(key(exchange)))) {
            throw ApiException.refused(
                    401,
                    null,
                    "invalid_api_key",
                    "the request has no valid API key; send the header \"Authorization: Bearer KEY\"");
        }
    }

    /// Compares with all keys, in the same time whichever matches and however much of it.
    private boolean isKnown(byte[] digest) {
        boolean found = false;
        for (byte[] known : digests) {
            found |= MessageDigest.isEqual(known, digest);
        }
        return found;
    }

    /// Counts a request of a key until the result is closed.
    ///
    /// @throws ApiException if the key runs as many requests as it may (429)
    Running begin(Exchange exchange) {
        if (requestsPerKey == 0) {
            return () -> {};
        }
        String owner = HexFormat.of().formatHex(digest(key(exchange)));
        int count = running.merge(owner, 1, Integer::sum);
        if (count > requestsPerKey) {
            end(owner);
            throw new ApiException(
                    429,
                    "rate_limit_error",
                    "the API key runs " + requestsPerKey + " requests already, as many as it may. Wait for one to end",
                    null,
                    "too_many_requests",
                    1);
        }
        return () -> end(owner);
    }

    private void end(String owner) {
        running.computeIfPresent(owner, (key, count) -> count == 1 ? null : count - 1);
    }

    /// A request that counts until it is closed.
    interface Running extends AutoCloseable {
        @Override
        void close();
    }

    private static String key(Exchange exchange) {
        String header = exchange.header("Authorization");
        boolean isBearer = header != null && header.regionMatches(true, 0, BEARER, 0, BEARER.length());
        return isBearer ? key(header) : "";
    }

    private static String key(@Nullable String header) {
        return header == null ? "" : header.substring(BEARER.length()).strip();
    }

    private static byte[] digest(String key) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }
}
