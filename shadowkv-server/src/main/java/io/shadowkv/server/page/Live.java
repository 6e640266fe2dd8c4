package io.shadowkv.server.page;

import io.shadowkv.server.answer.EventStream;
import io.shadowkv.server.endpoint.Endpoint;
import io.shadowkv.server.endpoint.Serving;
import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.http.Exchange;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.function.BooleanSupplier;

/// `GET /v1/live`: what the server does, as an event about twice a second until the client closes the
/// connection or the server has ended its last request.
///
/// @param places how many clients may watch at a time
/// @param isDraining true once the server takes no further requests
public record Live(Serving serving, Semaphore places, BooleanSupplier isDraining) implements Endpoint {
    private static final Duration INTERVAL = Duration.ofMillis(500);
    private static final int RETRY_SECONDS = 10;

    @Override
    public void answer(Exchange exchange) throws InterruptedException {
        if (!places.tryAcquire()) {
            throw ApiException.unavailable(
                    "too_many_watchers",
                    "as many clients watch the server as may at a time; close one of them",
                    RETRY_SECONDS);
        }
        try (LiveFeed feed = new LiveFeed(serving, isDraining);
                EventStream stream = EventStream.open(exchange)) {
            // The last event is one that says that the server is draining.
            boolean isOver = feed.isOver();
            stream.data(feed.next());
            while (!isOver) {
                Thread.sleep(INTERVAL);
                isOver = feed.isOver();
                stream.data(feed.next());
            }
        } finally {
            places.release();
        }
    }
}
