package io.shadowkv.server.answer;

import io.shadowkv.server.error.ErrorBody;
import io.shadowkv.server.http.Outgoing;
import io.shadowkv.server.json.JsonBody;
import java.time.Duration;
import java.util.function.Supplier;
import tools.jackson.databind.node.ObjectNode;

/// Sends one JSON object when some work is done.
///
/// If that takes longer than the ping interval, the status 200 is sent before it, and a blank at each
/// further interval: clients give up if no head arrives, and a failed write tells that the client has
/// gone. An error after that is a JSON error body under the status 200.
public final class PingedAnswer {
    private static final byte[] BLANK = {' '};

    private PingedAnswer() {}

    /// Work on another thread.
    @FunctionalInterface
    public interface Waited {
        /// @return false if the time passes before the work is done
        /// @throws RuntimeException what made the work fail
        boolean await(Duration limit) throws InterruptedException;
    }

    /// Waits for the work and sends the answer.
    ///
    /// @return false if the work failed after the head of the answer was sent
    /// @throws RuntimeException what made the work fail before the head of the answer was sent
    /// @throws io.shadowkv.server.http.ClientGoneException if the client has closed the connection
    /// @throws InterruptedException if the server stops
    public static boolean send(Sending sending, Waited work, Supplier<ObjectNode> answer, Duration ping)
            throws InterruptedException {
        if (work.await(ping)) {
            sending.exchange().respond(200, ErrorBody.JSON_HEADERS, JsonBody.bytes(answer.get()));
            return true;
        }
        try (Outgoing out = sending.exchange().open(200, ErrorBody.JSON_HEADERS)) {
            return sending.run(
                            () -> {
                                do {
                                    out.send(BLANK);
                                } while (!work.await(ping));
                                out.send(JsonBody.bytes(answer.get()));
                                return true;
                            },
                            error -> out.send(JsonBody.bytes(ErrorBody.of(error))))
                    .isPresent();
        }
    }
}
