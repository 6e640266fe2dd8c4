package io.shadowkv.server;

import io.shadowkv.server.endpoint.Endpoint;
import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.error.ErrorBody;
import io.shadowkv.server.error.Failures;
import io.shadowkv.server.http.ClientGoneException;
import io.shadowkv.server.http.Exchange;
import io.shadowkv.server.http.Handler;
import io.shadowkv.server.json.JsonBody;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Finds the endpoint of a request, and turns exceptions into JSON errors.
final class Router implements Handler {
    private final Map<String, Map<String, Route>> routes = new LinkedHashMap<>();
    private final ApiKeys keys;
    private final Failures failures;

    /// Who may use a route.
    enum Access {
        /// Everybody, also without a key.
        OPEN,
        /// Requests with a key.
        KEY,
        /// Requests with a key, which count against the limit of the key.
        COUNTED
    }

    private record Route(Endpoint endpoint, Access access) {}

    /// @param failures turns exceptions into errors and logs them
    Router(ApiKeys keys, Failures failures) {
        this.keys = keys;
        this.failures = failures;
    }

    /// Adds a route before the first request arrives.
    ///
    /// @param path may have the segment `{id}`, which stands for any segment that is not empty
    void add(String method, String path, Access access, Endpoint endpoint) {
        routes.computeIfAbsent(path, key -> new LinkedHashMap<>()).put(method, new Route(endpoint, access));
    }

    @Override
    public void handle(Exchange exchange) {
        try {
            answer(exchange);
        } catch (ClientGoneException e) {
            throw e;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            refuse(exchange, ApiException.unavailable("stopping", "the server stops", 5));
        } catch (RuntimeException | Error e) {
            refuse(exchange, failures.report(exchange.line(), e));
        }
    }

    /// Sends an error, unless the head of an answer was sent already.
    private static void refuse(Exchange exchange, ApiException error) {
        exchange.note("error", String.valueOf(error.code()));
        if (exchange.status() == 0) {
            exchange.respond(error.status(), ErrorBody.headers(error), JsonBody.bytes(ErrorBody.of(error)));
        }
    }

    private void answer(Exchange exchange) throws InterruptedException {
        Route route = route(exchange);
        if (route.access() != Access.OPEN) {
            Origins.check(exchange);
            keys.check(exchange);
        }
        if (route.access() == Access.COUNTED) {
            try (ApiKeys.Running _ = keys.begin(exchange)) {
                route.endpoint().answer(exchange);
            }
        } else {
            route.endpoint().answer(exchange);
        }
    }

    private @Nullable Map<String, Route> methods(String path) {
        Map<String, Route> exact = routes.get(path);
        if (exact != null) {
            return exact;
        }
        return routes.entrySet().stream()
                .filter(entry -> matches(entry.getKey(), path))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElse(null);
    }

    private static boolean matches(String pattern, String path) {
        String[] expected = pattern.split("/", -1);
        String[] found = path.split("/", -1);
        boolean matches = expected.length == found.length;
        for (int i = 0; matches && i < expected.length; i++) {
            matches = expected[i].equals("{id}") ? !found[i].isEmpty() : expected[i].equals(found[i]);
        }
        return matches;
    }

    private Route route(Exchange exchange) {
        Map<String, Route> methods = methods(exchange.path());
        if (methods == null) {
            throw ApiException.refused(
                    404, null, "unknown_url", "there is no " + exchange.path() + " here; there are " + routes.keySet());
        }
        Route route = methods.get(exchange.method());
        if (route == null) {
            throw ApiException.refused(
                    405,
                    null,
                    "method_not_allowed",
                    exchange.path() + " takes " + String.join(", ", new TreeSet<>(methods.keySet())) + ", not "
                            + exchange.method());
        }
        return route;
    }
}
