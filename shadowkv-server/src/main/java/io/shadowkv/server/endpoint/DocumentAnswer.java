package io.shadowkv.server.endpoint;

import io.shadowkv.server.answer.EventStream;
import io.shadowkv.server.answer.PingedAnswer;
import io.shadowkv.server.answer.Sending;
import io.shadowkv.server.documents.DocumentReading;
import io.shadowkv.server.documents.StoredDocument;
import io.shadowkv.server.json.JsonBody;
import java.time.Duration;
import tools.jackson.databind.node.ObjectNode;

/// Tells a client how the reading of a document goes. As with answers, bytes are sent at every ping
/// interval, because a failed write tells that the client has gone.
final class DocumentAnswer {
    /// Progress is sent at most this often.
    private static final Duration PROGRESS = Duration.ofMillis(200);

    private DocumentAnswer() {}

    /// Waits until the document was read, and sends it.
    ///
    /// @return false if the reading failed after the head of the answer was sent
    /// @throws RuntimeException what made the reading fail before the head of the answer was sent
    /// @throws io.shadowkv.server.http.ClientGoneException if the client has closed the connection
    /// @throws InterruptedException if the server stops
    static boolean send(
            Sending sending, DocumentReading reading, StoredDocument document, boolean streams, Duration ping)
            throws InterruptedException {
        return streams
                ? stream(sending, reading, document, ping)
                : PingedAnswer.send(sending, reading::await, document::json, ping);
    }

    private static boolean stream(Sending sending, DocumentReading reading, StoredDocument document, Duration ping)
            throws InterruptedException {
        try (EventStream stream = EventStream.open(sending.exchange())) {
            return sending.run(() -> report(stream, reading, document, ping), stream::error)
                    .isPresent();
        }
    }

    private static boolean report(EventStream stream, DocumentReading reading, StoredDocument document, Duration ping)
            throws InterruptedException {
        long start = System.nanoTime();
        double shown = -1;
        Duration interval = ping.compareTo(PROGRESS) < 0 ? ping : PROGRESS;
        do {
            double done = document.progress();
            if (done > shown) {
                stream.data(progress(document, done, System.nanoTime() - start));
                shown = done;
            } else if (stream.untilPing(ping).isZero()) {
                stream.comment("ping");
            }
        } while (!reading.await(interval));
        stream.data(progress(document, 1, System.nanoTime() - start));
        stream.data(document.json());
        stream.done();
        return true;
    }

    /// Progress as in streamed answers, under llama.cpp's names.
    private static ObjectNode progress(StoredDocument document, double share, long nanos) {
        ObjectNode event = JsonBody.object();
        event.put("id", document.id());
        event.put("object", "document.progress");
        ObjectNode progress = event.putObject("prompt_progress");
        progress.put("total", document.tokens());
        progress.put("cache", 0);
        progress.put("processed", Math.round(share * document.tokens()));
        progress.put("time_ms", Duration.ofNanos(nanos).toMillis());
        return event;
    }
}
