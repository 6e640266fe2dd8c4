package io.shadowkv.cli.bench.serve;

import io.shadowkv.cli.bench.load.LoadFailure;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Connections to one server. Thread-safe.
final class ServerConnection implements AutoCloseable {
    private static final Duration CONNECT_TIME = Duration.ofSeconds(20);
    private static final String VERSION_PATH = "/v1";

    private final String url;
    private final @Nullable String apiKey;
    private final HttpClient client;

    /// @param url address of the server, with or without `/v1`
    /// @param apiKey null for none
    /// @throws IllegalArgumentException if the address cannot be used
    ServerConnection(String url, @Nullable String apiKey) {
        this.url = checked(url);
        this.apiKey = apiKey;
        this.client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(CONNECT_TIME)
                .executor(Executors.newVirtualThreadPerTaskExecutor())
                .build();
    }

    private static String checked(String url) {
        String trimmed = url.strip().replaceAll("/+$", "");
        String plain = trimmed.endsWith(VERSION_PATH)
                ? trimmed.substring(0, trimmed.length() - VERSION_PATH.length())
                : trimmed;
        if (!plain.matches("https?://[^/?#\\s]+(/[^?#\\s]*)?")) {
            throw new IllegalArgumentException(
                    "--url is " + url + "; expected the address of a server, such as http://127.0.0.1:8080");
        }
        return plain;
    }

    String url() {
        return url;
    }

    /// A request to a path, with the key.
    HttpRequest.Builder request(String path) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url + path));
        if (apiKey != null) {
            request.header("Authorization", "Bearer " + apiKey);
        }
        return request;
    }

    /// @throws LoadFailure if there is no answer
    /// @throws InterruptedException if the thread is interrupted
    <T> HttpResponse<T> send(HttpRequest request, HttpResponse.BodyHandler<T> handler) throws InterruptedException {
        try {
            return client.send(request, handler);
        } catch (ConnectException e) {
            throw new LoadFailure(
                    "no connection", "cannot connect to " + url + ". Start the server, or check --url", e);
        } catch (IOException e) {
            throw broken(e);
        }
    }

    /// @throws LoadFailure if the answer is not JSON of status 200
    JsonNode json(String path) throws InterruptedException {
        return checkAnswer(send(request(path).build(), HttpResponse.BodyHandlers.ofString()));
    }

    /// @throws LoadFailure if the answer is not JSON of status 200
    JsonNode json(String path, String body) throws InterruptedException {
        HttpRequest post = request(path)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        return checkAnswer(send(post, HttpResponse.BodyHandlers.ofString()));
    }

    /// @throws LoadFailure if the request was refused, or the body is an error
    static JsonNode checkAnswer(HttpResponse<String> response) {
        if (response.statusCode() != 200) {
            throw refused(response.statusCode(), response.body());
        }
        JsonNode body;
        try {
            body = JsonMapper.shared().readTree(response.body());
        } catch (JacksonException e) {
            throw new LoadFailure("bad answer", response.uri() + " does not answer with JSON", e);
        }
        if (body.path("error").isObject()) {
            throw refused(response.statusCode(), response.body());
        }
        return body;
    }

    /// A failure with the error's code and message.
    static LoadFailure refused(int status, String body) {
        try {
            JsonNode error = JsonMapper.shared().readTree(body).path("error");
            String code = error.path("code").asString(error.path("type").asString(""));
            return new LoadFailure(
                    ("HTTP " + status + " " + code).strip(),
                    error.path("message").asString(body));
        } catch (JacksonException e) {
            return new LoadFailure("HTTP " + status, body.isBlank() ? "the answer is empty" : body, e);
        }
    }

    /// @throws InterruptedException if the connection broke because the thread is interrupted
    static LoadFailure broken(IOException cause) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException("the run ends");
        }
        return new LoadFailure("connection broken", "the connection broke: " + cause, cause);
    }

    @Override
    public void close() {
        client.shutdownNow();
        client.close();
    }
}
