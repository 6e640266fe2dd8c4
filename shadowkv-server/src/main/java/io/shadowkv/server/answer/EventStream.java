package io.shadowkv.server.answer;

import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.error.ErrorBody;
import io.shadowkv.server.http.Exchange;
import io.shadowkv.server.http.Outgoing;
import io.shadowkv.server.json.JsonBody;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import tools.jackson.databind.node.ObjectNode;

/// Writes server-sent events: one data line an event. Used by one thread.
public final class EventStream implements AutoCloseable {
    private static final Map<String, String> HEADERS = Map.of(
            "Content-Type", "text/event-stream; charset=utf-8",
            "Cache-Control", "no-cache",
            "X-Accel-Buffering", "no");

    private final Outgoing out;
    private long lastWrite;

    private EventStream(Outgoing out) {
        this.out = out;
        this.lastWrite = System.nanoTime();
    }

    /// Sends the head of the answer.
    ///
    /// @throws io.shadowkv.server.http.ClientGoneException if the client has closed the connection
    public static EventStream open(Exchange exchange) {
        return new EventStream(exchange.open(200, HEADERS));
    }

    public void data(ObjectNode chunk) {
        send("data: " + JsonBody.line(chunk) + "\n\n");
    }

    /// A line that clients pass over. It keeps the connection, and its failure tells that the client
    /// has gone.
    public void comment(String text) {
        send(": " + text + "\n\n");
    }

    /// Reports an error to a client that has already received the status 200.
    public void error(ApiException error) {
        send("event: error\ndata: " + JsonBody.line(ErrorBody.of(error)) + "\n\n");
    }

    public void done() {
        send("data: [DONE]\n\n");
    }

    private void send(String text) {
        out.send(text.getBytes(StandardCharsets.UTF_8));
        lastWrite = System.nanoTime();
    }

    /// Time until `interval` has passed since the last write; zero if it has.
    public Duration untilPing(Duration interval) {
        return Duration.ofNanos(Math.max(0, interval.toNanos() - (System.nanoTime() - lastWrite)));
    }

    @Override
    public void close() {
        out.close();
    }
}
