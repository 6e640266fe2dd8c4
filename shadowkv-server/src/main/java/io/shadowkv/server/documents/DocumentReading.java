package io.shadowkv.server.documents;

import io.shadowkv.engine.GenerationListener;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.serve.Document;
import io.shadowkv.server.error.ApiException;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// The reading of one document, on a virtual thread of its own, so that the thread of the request
/// can tell the client how far it is and notice that the client has gone.
///
/// Closing it before the document is ready ends the reading and removes the document.
public final class DocumentReading implements AutoCloseable {
    private final DocumentStore store;
    private final StoredDocument document;
    private final CompletableFuture<StoredDocument> result = new CompletableFuture<>();

    private DocumentReading(DocumentStore store, StoredDocument document) {
        this.store = store;
        this.document = document;
    }

    /// Begins to read.
    ///
    /// @param timeout time after which the reading ends; null for no limit
    public static DocumentReading start(DocumentStore store, StoredDocument document, @Nullable Duration timeout) {
        DocumentReading reading = new DocumentReading(store, document);
        Request request = Request.of(document.ids(), GenerationOptions.DEFAULT)
                .withTimeout(timeout)
                .withCancellation(document.cancellation())
                .withListener(new GenerationListener() {
                    @Override
                    public void reading(double done) {
                        document.reading(done);
                    }
                });
        Thread.ofVirtual().name("shadowkv-document").start(() -> reading.run(request));
        return reading;
    }

    private void run(Request request) {
        try {
            Document read = document.engine().read(request);
            document.ready(read);
            if (!store.contains(document)) {
                document.close();
                throw deleted();
            }
            result.complete(document);
        } catch (CancellationException e) {
            fail(store.contains(document) ? ended() : deleted());
        } catch (RuntimeException | Error e) {
            fail(e);
        }
    }

    private void fail(Throwable failure) {
        store.remove(document);
        result.completeExceptionally(failure);
    }

    private static ApiException deleted() {
        return ApiException.refused(
                409,
                null,
                "document_deleted",
                "the document was deleted while it was read; send it again if you need it");
    }

    private static ApiException ended() {
        return ApiException.refused(
                408,
                null,
                "request_timeout",
                "the server's time limit for a request (--request-timeout) passed before the document was read."
                        + " Shorten it, or try when the server has less to do");
    }

    /// Waits until the document is ready.
    ///
    /// @return false if the time passes before
    /// @throws RuntimeException what kept the document from being read
    /// @throws InterruptedException if the server stops
    public boolean await(Duration limit) throws InterruptedException {
        try {
            result.get(limit.toNanos(), TimeUnit.NANOSECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            throw new IllegalStateException("document \"" + document.id() + "\" was not read", e.getCause());
        }
    }

    @Override
    public void close() {
        if (!result.isDone() && store.remove(document)) {
            document.close();
        }
    }
}
