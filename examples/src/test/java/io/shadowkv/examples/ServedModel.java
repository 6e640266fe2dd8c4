package io.shadowkv.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.serve.Backends;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.op.BackendProvider.BackendOptions;
import io.shadowkv.server.ApiServer;
import io.shadowkv.server.ServerLog;
import io.shadowkv.server.ServerOptions;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// A server with the bundled model on a free port, and what is asked of this model.
final class ServedModel implements AutoCloseable {
    static final String NAME = "needle-32k";
    static final String ANSWER = "4071523";
    private static final String FILLING =
            "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again.\n";

    private final Backends.Choice backend = Backends.open("cpu", new BackendOptions(0, 0, null));
    private final Engine engine;
    private final BlockingQueue<String> access = new LinkedBlockingQueue<>();
    private final ApiServer server;

    /// @param folder an empty folder
    ServedModel(Path folder) throws IOException {
        this(folder, true);
    }

    /// @param isServed false for a server that says that it loads its model, until [#serve]
    ServedModel(Path folder, boolean isServed) throws IOException {
        engine = Engine.open(
                model(folder),
                backend.backend(),
                EngineOptions.DEFAULT.withCache(new KvCacheSpec.Full()).withKeptPrompts(4));
        // Pings come often, so that tests of clients that go are quick.
        ServerOptions options = ServerOptions.DEFAULT.withPort(0).withPingInterval(Duration.ofMillis(200));
        server = ApiServer.start(options, new ServerLog() {
            @Override
            public void access(String line) {
                access.add(line);
            }

            @Override
            public void defect(String request, Throwable cause) {
                access.add("defect " + cause);
            }
        });
        if (isServed) {
            serve();
        }
    }

    void serve() {
        server.serve(engine, List.of(NAME));
    }

    /// The bundled model, with a chat template that takes messages without content, which calls of
    /// tools are.
    private static Path model(Path folder) throws IOException {
        Path bundled = Path.of("../models/" + NAME).toAbsolutePath();
        try (Stream<Path> files = Files.list(bundled)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
        Path config = folder.resolve("tokenizer_config.json");
        String settings = Files.readString(config);
        Files.writeString(config, settings.replace("+ message['content'] +", "+ (message['content'] or '') +"));
        return folder;
    }

    static String text(int fillings) {
        return "A special magic number is hidden within the following text. Make sure to memorize it. I will quiz you"
                + " about the number afterwards.\n" + FILLING.repeat(fillings)
                + "One of the special magic numbers for early-dawn is: " + ANSWER + ".\n" + FILLING.repeat(fillings);
    }

    static String asked() {
        return "What is the special magic number for early-dawn mentioned in the provided text?";
    }

    /// A question whose answer is [#ANSWER].
    static String question() {
        return text(1) + asked();
    }

    int port() {
        return server.address().getPort();
    }

    String url() {
        return "http://127.0.0.1:" + port();
    }

    /// The base address that clients are given.
    String base() {
        return url() + "/v1";
    }

    long generatedTokens() {
        return server.generatedTokens();
    }

    /// The lines of the access log that have not been taken.
    BlockingQueue<String> access() {
        return access;
    }

    /// Waits for a line of the access log that contains `text`; other lines are dropped.
    String logged(String text) throws InterruptedException {
        String line = "";
        while (line != null && !line.contains(text)) {
            line = access.poll(4, TimeUnit.MINUTES);
        }
        if (line == null) {
            throw new AssertionError("no line with \"" + text + "\"");
        }
        return line;
    }

    /// Checks that one request failed, with `text` in its line. A further request marks the end of the
    /// lines of those before it, so that a retry would be seen.
    void failedOnce(String text) throws Exception {
        try (var body = URI.create(url() + "/health").toURL().openStream()) {
            assertThat(body.readAllBytes()).isNotEmpty();
        }
        List<String> failed = new ArrayList<>();
        for (String line = logged(" "); !line.contains(" /health "); line = logged(" ")) {
            if (line.contains("error=")) {
                failed.add(line);
            }
        }
        assertThat(failed).singleElement().asString().contains(text);
    }

    @Override
    public void close() {
        server.close();
        engine.close();
        backend.backend().close();
    }
}
