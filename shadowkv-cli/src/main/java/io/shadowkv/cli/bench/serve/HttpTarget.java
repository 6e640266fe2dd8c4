package io.shadowkv.cli.bench.serve;

import io.shadowkv.cli.bench.load.AnswerSink;
import io.shadowkv.cli.bench.load.LoadDocument;
import io.shadowkv.cli.bench.load.LoadRequest;
import io.shadowkv.cli.bench.load.LoadTarget;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/// A server of OpenAI's API. Thread-safe.
final class HttpTarget implements LoadTarget {
    private final ServerConnection connection;
    private final RequestBodies bodies;
    private final DocumentUse use;
    /// Documents of an earlier, interrupted run may still be on the server.
    private final String run = "bench-" + UUID.randomUUID().toString().substring(0, 8) + "-";

    /// @param connection remains owned by the caller
    /// @param model name of the model in requests
    HttpTarget(ServerConnection connection, String model, DocumentUse use) {
        this.connection = connection;
        this.bodies = new RequestBodies(model, use);
        this.use = use;
    }

    private String id(LoadDocument document) {
        return run + document.key();
    }

    @Override
    public void answer(LoadRequest request, AnswerSink sink) throws InterruptedException {
        LoadDocument document = request.document();
        String named = use == DocumentUse.api && document != null ? id(document) : null;
        HttpRequest post = connection
                .request(RequestBodies.isChat(request) ? "/v1/chat/completions" : "/v1/completions")
                .header("Content-Type", "application/json")
                .POST(bodies.of(request, named))
                .build();
        HttpResponse<InputStream> response = connection.send(post, HttpResponse.BodyHandlers.ofInputStream());
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
            if (response.statusCode() != 200) {
                throw ServerConnection.refused(response.statusCode(), lines.readAllAsString());
            }
            AnswerStream.read(lines, sink);
        } catch (IOException e) {
            throw ServerConnection.broken(e);
        }
    }

    @Override
    public void read(LoadDocument document) throws InterruptedException {
        HttpRequest post = connection
                .request("/v1/documents")
                .header("Content-Type", "application/json")
                .POST(bodies.of(document, id(document)))
                .build();
        HttpResponse<String> response = connection.send(post, HttpResponse.BodyHandlers.ofString());
        // The server sends the head before the document is read if that takes long.
        ServerConnection.checkAnswer(response);
    }

    @Override
    public void forget(LoadDocument document) throws InterruptedException {
        HttpRequest delete =
                connection.request("/v1/documents/" + id(document)).DELETE().build();
        ServerConnection.checkAnswer(connection.send(delete, HttpResponse.BodyHandlers.ofString()));
    }
}
