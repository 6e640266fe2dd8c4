package io.shadowkv.hub;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// The body of a response, read in pieces.
///
/// Adds two features to the JDK's stream. Bytes that arrived before the connection was cut are
/// returned before the failure, so that they are not downloaded again. A server that stops sending
/// in the middle of a body is detected; a request's timeout only covers the headers. The HTTP
/// client's threads fill it, and one thread reads it.
final class HubBody implements HttpResponse.BodySubscriber<HubBody>, AutoCloseable {
    /// Buffers that arrived together, or the end, with or without a failure.
    private record Piece(
            List<ByteBuffer> buffers,
            boolean isLast,
            @Nullable Throwable failure) {}

    private static final Flow.Subscription CLOSED = new Flow.Subscription() {
        @Override
        public void request(long count) {}

        @Override
        public void cancel() {}
    };

    private final Duration stallLimit;
    private final BlockingQueue<Piece> pieces = new LinkedBlockingQueue<>();
    private final AtomicReference<Flow.@Nullable Subscription> subscription = new AtomicReference<>();
    private Piece current = new Piece(List.of(), false, null);

    HubBody(Duration stallLimit) {
        this.stallLimit = stallLimit;
    }

    /// Reads some bytes; -1 at the end.
    ///
    /// @throws IOException if the connection was cut or the server has sent nothing for longer than
    ///     the limit
    int read(byte[] buffer) throws IOException, InterruptedException {
        while (true) {
            for (ByteBuffer part : current.buffers()) {
                if (part.hasRemaining()) {
                    int count = Math.min(buffer.length, part.remaining());
                    part.get(buffer, 0, count);
                    return count;
                }
            }
            if (current.failure() != null) {
                throw new IOException(
                        "the connection was cut (" + current.failure().getMessage() + ")", current.failure());
            }
            if (current.isLast()) {
                return -1;
            }
            next();
        }
    }

    private void next() throws IOException, InterruptedException {
        Piece piece = pieces.poll(stallLimit.toNanos(), TimeUnit.NANOSECONDS);
        if (piece == null) {
            throw new HubErrors.TransientException(
                    "the server sent nothing for " + stallLimit.toMillis() + " ms", Duration.ZERO);
        }
        current = piece;
        Flow.Subscription source = subscription.get();
        if (!piece.isLast() && source != null) {
            source.request(1);
        }
    }

    /// Reads to the end, but stops soon after `limit` bytes.
    byte[] readAll(long limit) throws IOException, InterruptedException {
        var bytes = new ByteArrayOutputStream();
        byte[] buffer = new byte[1 << 14];
        for (int count = read(buffer); count >= 0 && bytes.size() <= limit; count = read(buffer)) {
            bytes.write(buffer, 0, count);
        }
        return bytes.toByteArray();
    }

    /// Ends the exchange; closes the connection if there is more to come.
    @Override
    public void close() {
        Flow.Subscription source = subscription.getAndSet(CLOSED);
        if (source != null) {
            source.cancel();
        }
    }

    @Override
    public CompletionStage<HubBody> getBody() {
        return CompletableFuture.completedFuture(this);
    }

    @Override
    public void onSubscribe(Flow.Subscription source) {
        if (subscription.compareAndSet(null, source)) {
            source.request(1);
        } else {
            source.cancel();
        }
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {
        pieces.add(new Piece(buffers, false, null));
    }

    @Override
    public void onError(Throwable failure) {
        pieces.add(new Piece(List.of(), true, failure));
    }

    @Override
    public void onComplete() {
        pieces.add(new Piece(List.of(), true, null));
    }
}
