package io.shadowkv.server.endpoint;

import io.shadowkv.server.http.Exchange;
import java.util.Map;

/// `GET /metrics`: counters, gauges and histograms in Prometheus' text format.
public record Metrics(Serving serving) implements Endpoint {
    @Override
    public void answer(Exchange exchange) {
        exchange.respond(
                200,
                Map.of("Content-Type", serving.metrics().contentType()),
                serving.metrics().text());
    }
}
