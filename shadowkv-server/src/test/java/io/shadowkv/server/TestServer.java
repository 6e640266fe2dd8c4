package io.shadowkv.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.serve.Backends;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.op.BackendProvider.BackendOptions;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A server with the bundled model on a free port.
final class TestServer implements AutoCloseable {
    static final String MODEL = "needle-32k";
    static final String ANSWER = "4071523";
    private static final String FILLER =
            "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again.\n";

    /// Much longer than any wait of a test takes, so that a hanging test ends.
    private static final long PATIENCE_SECONDS = 240;

    final FaultyBackend backend;
    final Engine engine;
    final ApiServer server;
    final BlockingQueue<String> access = new LinkedBlockingQueue<>();
    final BlockingQueue<Throwable> defects = new LinkedBlockingQueue<>();
    private final HttpClient client = HttpClient.newHttpClient();

    private TestServer(Path model, EngineOptions engineOptions, ServerOptions options, Duration stuckAfter) {
        backend = new FaultyBackend(
                Backends.open("cpu", new BackendOptions(0, 0, null)).backend());
        engine = Engine.open(model, backend, engineOptions);
        server = ApiServer.start(
                options,
                new ServerLog() {
                    @Override
                    public void access(String line) {
                        access.add(line);
                    }

                    @Override
                    public void defect(String request, Throwable cause) {
                        defects.add(cause);
                    }
                },
                new ApiServer.Times(stuckAfter, 5));
        server.serve(engine, List.of(MODEL, "alias"));
    }

    static TestServer start() {
        return start(options -> options);
    }

    /// Pings come often, so that tests of clients that go are quick.
    static TestServer start(UnaryOperator<ServerOptions> change) {
        ServerOptions plain = ServerOptions.DEFAULT.withPort(0).withPingInterval(Duration.ofMillis(200));
        return start(EngineOptions.DEFAULT.withCache(new KvCacheSpec.Full()).withKeptPrompts(4), change.apply(plain));
    }

    static TestServer start(EngineOptions engineOptions, ServerOptions options) {
        return start(Fixtures.needleModel(), engineOptions, options);
    }

    /// @param model folder of another checkpoint
    static TestServer start(Path model, EngineOptions engineOptions, ServerOptions options) {
        return new TestServer(model, engineOptions, options, Duration.ofMinutes(2));
    }

    /// A server whose engine counts as stuck soon.
    static TestServer startImpatient(Duration stuckAfter) {
        return new TestServer(
                Fixtures.needleModel(),
                EngineOptions.DEFAULT.withCache(new KvCacheSpec.Full()),
                ServerOptions.DEFAULT.withPort(0).withPingInterval(Duration.ofMillis(50)),
                stuckAfter);
    }

    /// What is asked about [#text].
    static final String QUESTION = "What is the special magic number for early-dawn mentioned in the provided text?";

    /// A question whose answer is [#ANSWER].
    static String question(int fillers) {
        return text(fillers) + QUESTION;
    }

    /// A text in which [#ANSWER] is hidden.
    static String text(int fillers) {
        return "A special magic number is hidden within the following text. Make sure to memorize it. I will quiz you"
                + " about the number afterwards.\n" + FILLER.repeat(fillers)
                + "One of the special magic numbers for early-dawn is: " + ANSWER + ".\n" + FILLER.repeat(fillers);
    }

    String url() {
        return "http://127.0.0.1:" + server.address().getPort();
    }

    /// The base address that clients are given.
    String base() {
        return url() + "/v1";
    }

    HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return client.send(
                HttpRequest.newBuilder(URI.create(url() + path)).build(), HttpResponse.BodyHandlers.ofString());
    }

    HttpResponse<String> post(String path, String body) throws IOException, InterruptedException {
        return send(path, HttpRequest.BodyPublishers.ofString(body));
    }

    /// Sends a request of any method.
    HttpResponse<String> request(String method, String path, String type, String body)
            throws IOException, InterruptedException {
        return client.send(
                HttpRequest.newBuilder(URI.create(url() + path))
                        .header("Content-Type", type)
                        .method(method, HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    HttpResponse<String> post(String path, byte[] body) throws IOException, InterruptedException {
        return send(path, HttpRequest.BodyPublishers.ofByteArray(body));
    }

    private HttpResponse<String> send(String path, HttpRequest.BodyPublisher body)
            throws IOException, InterruptedException {
        return client.send(
                HttpRequest.newBuilder(URI.create(url() + path)).POST(body).build(),
                HttpResponse.BodyHandlers.ofString());
    }

    /// A chat request of one user message.
    ///
    /// @param further JSON members, each after a comma
    static String chat(String content, String further) {
        return "{\"model\":\"" + MODEL + "\",\"messages\":[{\"role\":\"user\",\"content\":"
                + JsonMapper.shared().writeValueAsString(content) + "}]" + further + "}";
    }

    static JsonNode json(HttpResponse<String> response) {
        return JsonMapper.shared().readTree(response.body());
    }

    /// Waits for a line of the access log that contains `text`; other lines are dropped.
    String logged(String text) throws InterruptedException {
        String line = "";
        while (line != null && !line.contains(text)) {
            line = access.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
        }
        if (line == null) {
            throw new AssertionError("no line with \"" + text + "\" within " + PATIENCE_SECONDS + " s");
        }
        return line;
    }

    /// Checks that one request failed, with `text` in its line. A further request marks the end of the
    /// lines of those before it, so that a retry would be seen.
    void failedOnce(String text) throws IOException, InterruptedException {
        get("/health");
        List<String> failed = new ArrayList<>();
        for (String line = logged(" "); !line.contains(" /health "); line = logged(" ")) {
            if (line.contains("error=")) {
                failed.add(line);
            }
        }
        assertThat(failed).singleElement().asString().contains(text);
    }

    /// Waits until the engine has nothing to do.
    void awaitIdle() throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (engine.runningRequests() + engine.waitingRequests() > 0) {
            if (System.nanoTime() > end) {
                throw new AssertionError(engine.runningRequests() + " requests still run");
            }
            Thread.sleep(10);
        }
    }

    /// The value of a metric, by the start of its line.
    double metric(String start) throws IOException, InterruptedException {
        return get("/metrics")
                .body()
                .lines()
                .filter(line -> line.startsWith(start))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
    }

    @Override
    public void close() {
        server.close();
        engine.close();
        backend.close();
    }
}
