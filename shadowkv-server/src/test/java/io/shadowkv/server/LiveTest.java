package io.shadowkv.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.EngineOptions;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// `/v1/live`: what clients that watch the server see.
class LiveTest {
    /// Selects from texts of a few hundred tokens.
    static final KvCacheSpec NARROW = new KvCacheSpec.Shadow(160, 8, 256, 16, 32, 64);

    private static TestServer narrow() {
        return TestServer.start(EngineOptions.DEFAULT.withCache(NARROW), ServerOptions.DEFAULT.withPort(0));
    }

    /// The events of a connection, one after the other.
    private record Watching(HttpClient client, Iterator<String> lines) implements AutoCloseable {
        static Watching of(TestServer server) throws Exception {
            HttpClient client = HttpClient.newHttpClient();
            HttpResponse<java.util.stream.Stream<String>> response = client.send(
                    HttpRequest.newBuilder(URI.create(server.url() + "/v1/live"))
                            .build(),
                    HttpResponse.BodyHandlers.ofLines());
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(response.headers().firstValue("Content-Type")).hasValue("text/event-stream; charset=utf-8");
            return new Watching(client, response.body().iterator());
        }

        /// The first event that `wanted` accepts.
        JsonNode until(Predicate<JsonNode> wanted) {
            while (lines.hasNext()) {
                String line = lines.next();
                if (line.startsWith("data: ")) {
                    JsonNode event = JsonMapper.shared().readTree(line.substring(6));
                    if (wanted.test(event)) {
                        return event;
                    }
                }
            }
            throw new AssertionError("the connection ended");
        }

        @Override
        public void close() {
            client.shutdownNow();
            client.close();
        }
    }

    @Test
    void eventsTellWhatIsHeldAndFetched() throws Exception {
        try (TestServer server = narrow();
                Watching watching = Watching.of(server)) {
            JsonNode idle = watching.until(event -> true);
            assertThat(idle.path("state").stringValue()).isEqualTo("ready");
            assertThat(idle.path("server").path("model").stringValue()).isEqualTo(TestServer.MODEL);
            assertThat(idle.path("server").path("method").stringValue()).isEqualTo("shadowkv");
            assertThat(idle.path("server").path("saves").booleanValue()).isFalse();
            assertThat(idle.path("memory").path("device_bytes").longValue()).isZero();
            assertThat(idle.path("fetches").isNull()).isTrue();

            JsonNode document = TestServer.json(server.post(
                    "/v1/documents",
                    "{\"id\":\"a\",\"text\":" + JsonMapper.shared().writeValueAsString(TestServer.text(15)) + "}"));
            int tokens = document.path("tokens").intValue();
            JsonNode held = watching.until(
                    event -> event.path("documents").path("ready").intValue() == 1);
            assertThat(held.path("memory").path("tokens").longValue()).isEqualTo(tokens);
            // 5 layers of 4 heads of 64 numbers of 2 bytes, keys and values.
            assertThat(held.path("memory").path("full_attention_bytes").longValue())
                    .isEqualTo(tokens * 5L * 4 * 64 * 2 * 2);
            assertThat(held.path("memory").path("host_bytes").longValue()).isPositive();

            // A step is looked at only where a look takes little of the time, so one answer may pass unseen. A
            // short answer's fetches and its tokens may be in different events.
            List<JsonNode> events = new CopyOnWriteArrayList<>();
            BooleanSupplier isSeen = () -> events.stream()
                            .anyMatch(one -> one.path("tokens_per_second").doubleValue() > 0)
                    && events.stream()
                            .anyMatch(one -> one.path("fetches").isObject()
                                    && one.path("selection").isObject());
            CompletableFuture<Void> asked = CompletableFuture.runAsync(() -> {
                for (int question = 0; question < 200 && !isSeen.getAsBoolean(); question++) {
                    try {
                        HttpResponse<String> answer = server.post(
                                "/v1/chat/completions",
                                TestServer.chat(
                                        TestServer.QUESTION,
                                        ",\"document\":\"a\",\"ignore_eos\":true,\"max_tokens\":40"));
                        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
                    } catch (Exception e) {
                        throw new IllegalStateException(e);
                    }
                }
            });
            watching.until(event -> {
                // Not seen after all questions, or a question failed.
                assertThat(asked.isDone() && !isSeen.getAsBoolean())
                        .as("questions ended unseen: %s, %s", asked, events)
                        .isFalse();
                events.add(event);
                return isSeen.getAsBoolean();
            });
            JsonNode fetched = events.stream()
                    .filter(one -> one.path("fetches").isObject()
                            && one.path("selection").isObject())
                    .findFirst()
                    .orElseThrow();
            List<String> rows = new ArrayList<>();
            fetched.path("fetches").path("layers").forEach(row -> rows.add(row.stringValue()));
            assertThat(rows).hasSize(5).allSatisfy(row -> assertThat(row).matches("[0-9a-f]{200}"));
            assertThat(String.join("", rows)).containsPattern("[1-9a-f]");
            assertThat(fetched.path("fetches").path("tokens").intValue()).isGreaterThan(tokens);
            assertThat(fetched.path("selection").path("hit_rate").doubleValue()).isBetween(0.0, 1.0);
            assertThat(fetched.path("selection").path("host_bytes_per_token").doubleValue())
                    .isPositive();
            assertThat(fetched.path("selection").path("device_bytes_per_token").doubleValue())
                    .isZero();
            asked.join();
            JsonNode ended = watching.until(event -> event.path("running").intValue() == 0);
            assertThat(ended.path("selection").isObject())
                    .as("the last figures stay")
                    .isTrue();
        }
    }

    @Test
    void aDrainedServerEndsTheConnection() throws Exception {
        try (TestServer server = TestServer.start();
                Watching watching = Watching.of(server)) {
            watching.until(event -> true);
            CompletableFuture<Boolean> drained = CompletableFuture.supplyAsync(() -> {
                try {
                    return server.server.drain(Duration.ofMinutes(1));
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            JsonNode last =
                    watching.until(event -> event.path("state").stringValue().equals("draining"));
            assertThat(last.path("running").intValue()).isZero();
            assertThat(watching.lines().hasNext()
                            && watching.lines().next().isEmpty()
                            && !watching.lines().hasNext())
                    .as("nothing follows the last event")
                    .isTrue();
            assertThat(drained.join()).isTrue();
        }
    }

    @Test
    void aBrokenEngineIsToldOfAndEveryWatchGoesOn() throws Exception {
        try (TestServer server = TestServer.start();
                Watching watching = Watching.of(server)) {
            watching.until(event -> event.path("state").stringValue().equals("ready"));
            server.backend.fail(Integer.MAX_VALUE);
            server.post("/v1/completions", "{\"prompt\":\"x\",\"max_tokens\":2}");
            JsonNode broken =
                    watching.until(event -> event.path("state").stringValue().equals("broken"));
            assertThat(broken.path("memory").isEmpty()).isTrue();
            watching.until(event -> true);
        }
    }

    @Test
    void theNumberOfWatchersIsLimited() throws Exception {
        List<RawClient> clients = new ArrayList<>();
        try (TestServer server = TestServer.start()) {
            String request = "GET /v1/live HTTP/1.1\r\nHost: test\r\n\r\n";
            for (int i = 0; i < 32; i++) {
                RawClient client = new RawClient(server);
                clients.add(client);
                client.send(request);
                client.readUntil("\"object\":\"live\"");
            }
            HttpResponse<String> refused = server.get("/v1/live");
            assertThat(refused.statusCode()).isEqualTo(503);
            assertThat(refused.body()).contains("too_many_watchers");
            assertThat(refused.headers().firstValue("Retry-After")).hasValue("10");
            clients.removeLast().vanish();
            server.logged("client_gone=true");
            try (Watching watching = Watching.of(server)) {
                watching.until(event -> true);
            }
        } finally {
            for (RawClient client : clients) {
                client.close();
            }
        }
    }

    @Test
    void aKeyIsNeededToWatch() throws Exception {
        try (TestServer server = TestServer.start(options -> options.withApiKeys(List.of("secret")))) {
            assertThat(server.get("/v1/live").statusCode()).isEqualTo(401);
            assertThat(server.get("/").statusCode()).isEqualTo(200);
        }
    }
}
