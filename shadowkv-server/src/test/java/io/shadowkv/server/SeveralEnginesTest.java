package io.shadowkv.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Two engines behind one server, both on the CPU.
class SeveralEnginesTest {
    private static final long PATIENCE_SECONDS = 240;

    @TempDir
    private Path folder;

    private final Queue<Throwable> defects = new ConcurrentLinkedQueue<>();
    private final List<FaultyBackend> backends = new ArrayList<>();
    private final List<Engine> engines = new ArrayList<>();
    private final HttpClient client = HttpClient.newHttpClient();
    private ApiServer server;

    @BeforeEach
    void start() {
        for (int i = 0; i < 2; i++) {
            FaultyBackend backend = new FaultyBackend(
                    Backends.open("cpu", new BackendOptions(1, 0, null)).backend());
            backends.add(backend);
            engines.add(Engine.open(
                    Fixtures.needleModel(),
                    backend,
                    EngineOptions.DEFAULT.withKeptPrompts(8).withMaxBatch(2)));
        }
        ServerLog log = new ServerLog() {
            @Override
            public void access(String line) {}

            @Override
            public void defect(String request, Throwable cause) {
                defects.add(cause);
            }
        };
        server = ApiServer.start(ServerOptions.DEFAULT.withPort(0).withDocumentFolder(folder), log);
        server.serve(engines, List.of("needle-32k"));
    }

    @AfterEach
    void stop() {
        backends.forEach(backend -> {
            backend.release();
            backend.fail(0);
        });
        server.close();
        engines.forEach(Engine::close);
        backends.forEach(FaultyBackend::close);
        client.close();
    }

    private HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return client.send(request(path).build(), HttpResponse.BodyHandlers.ofString());
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(
                URI.create("http://127.0.0.1:" + server.address().getPort() + path));
    }

    private CompletableFuture<HttpResponse<String>> post(String path, String body) {
        return client.sendAsync(
                request(path).POST(HttpRequest.BodyPublishers.ofString(body)).build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private JsonNode answer(String path, String body) throws Exception {
        HttpResponse<String> response = post(path, body).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return JsonMapper.shared().readTree(response.body());
    }

    private int document(String id, int first) throws Exception {
        return answer("/v1/documents", "{\"id\":\"" + id + "\",\"tokens\":" + ids(first, 300) + "}")
                .path("engine")
                .intValue();
    }

    private static String ids(int first, int count) {
        List<Integer> ids = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            ids.add(10 + (first + 7 * i) % 500);
        }
        return ids.toString();
    }

    private int cached(String body) throws Exception {
        return answer("/v1/completions", "{" + body + ",\"max_tokens\":2,\"ignore_eos\":true}")
                .at("/usage/prompt_tokens_details/cached_tokens")
                .intValue();
    }

    private String metric(String start) throws Exception {
        return get("/metrics")
                .body()
                .lines()
                .filter(line -> line.startsWith(start))
                .findFirst()
                .orElse("");
    }

    /// Both engines hold a document, and each question goes to the engine that holds its own.
    @Test
    void questionsGoWhereTheDocumentIs() throws Exception {
        assertThat(document("a", 0)).isNotEqualTo(document("b", 100));
        for (int round = 0; round < 2; round++) {
            for (String id : List.of("a", "b")) {
                assertThat(cached("\"document\":\"" + id + "\",\"prompt\":[20,21]"))
                        .isEqualTo(300);
            }
        }
        String whole = ids(0, 300).replace("]", ",30,31,32]");
        assertThat(cached("\"prompt\":" + whole)).isEqualTo(300);
        assertThat(metric("shadowkv:documents{model_name=\"needle-32k\",state=\"ready\"}"))
                .endsWith(" 2.0");
        assertThat(engines).allMatch(engine -> engine.memoryInUse().deviceBytes() > 0);
    }

    @Test
    void savedDocumentsComeBackWhereTheyAreFound() throws Exception {
        document("a", 0);
        answer("/v1/documents/a/save", "");
        client.send(request("/v1/documents/a").DELETE().build(), HttpResponse.BodyHandlers.ofString());
        answer("/v1/documents/load", "{\"id\":\"a\"}");
        assertThat(cached("\"document\":\"a\",\"prompt\":[20,21]")).isEqualTo(300);
    }

    /// A later turn goes to the engine that keeps the earlier one, although the other has less to do.
    @Test
    void aLaterTurnGoesWhereTheEarlierOneWas() throws Exception {
        for (int i = 0; i < 3; i++) {
            String first = ids(50 * i, 100);
            JsonNode one = answer("/v1/completions", "{\"prompt\":" + first + ",\"max_tokens\":1,\"ignore_eos\":true}");
            assertThat(one.at("/usage/prompt_tokens_details/cached_tokens").intValue())
                    .isZero();
            assertThat(cached("\"prompt\":" + first.replace("]", ",40,41,42]"))).isEqualTo(100);
        }
    }

    /// While one engine is held up by a request, others go to the free one.
    @Test
    void otherRequestsGoToTheEngineWithTheFewest() throws Exception {
        backends.getFirst().hang();
        List<CompletableFuture<HttpResponse<String>>> two = List.of(
                post("/v1/completions", "{\"prompt\":" + ids(0, 40) + ",\"max_tokens\":3}"),
                post("/v1/completions", "{\"prompt\":" + ids(60, 40) + ",\"max_tokens\":3}"));
        backends.getFirst().awaitHung();
        CompletableFuture.anyOf(two.toArray(new CompletableFuture<?>[0])).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        for (int i = 0; i < 3; i++) {
            answer("/v1/completions", "{\"prompt\":" + ids(100 + 30 * i, 40) + ",\"max_tokens\":3}");
        }
        assertThat(engines.getFirst().runningRequests() + engines.getFirst().waitingRequests())
                .isEqualTo(1);
        backends.getFirst().release();
        for (CompletableFuture<HttpResponse<String>> one : two) {
            assertThat(one.get(PATIENCE_SECONDS, TimeUnit.SECONDS).statusCode()).isEqualTo(200);
        }
    }

    @Test
    void aBrokenEngineGetsNoRequests() throws Exception {
        assertThat(JsonMapper.shared().readTree(get("/health").body()).toString())
                .isEqualTo("{\"status\":\"ok\",\"engines\":2,\"broken_engines\":0}");
        int lost = document("a", 0);
        backends.get(lost).fail(Integer.MAX_VALUE);
        HttpResponse<String> failed = post("/v1/completions", "{\"document\":\"a\",\"prompt\":[20],\"max_tokens\":3}")
                .get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        assertThat(failed.statusCode()).isIn(500, 503);
        while (engines.get(lost).failure() == null) {
            Thread.onSpinWait();
        }
        for (int i = 0; i < 4; i++) {
            answer("/v1/completions", "{\"prompt\":" + ids(30 * i, 40) + ",\"max_tokens\":3}");
        }
        // Its document is read again where the engine works.
        assertThat(cached("\"document\":\"a\",\"prompt\":[20,21]")).isZero();
        assertThat(document("b", 100)).isEqualTo(1 - lost);
        HttpResponse<String> health = get("/health");
        assertThat(health.statusCode()).isEqualTo(200);
        assertThat(health.body()).contains("\"degraded\"", "\"broken_engines\":1");
        assertThat(get("/health/ready").statusCode()).isEqualTo(200);
        assertThat(get("/v1/documents/a").body()).contains("\"status\":\"lost\"");
        assertThat(metric("shadowkv:engines{model_name=\"needle-32k\",state=\"broken\"}"))
                .endsWith(" 1.0");
        assertThat(defects.stream()
                        .filter(one -> String.valueOf(one.getMessage()).startsWith("engine " + lost)))
                .hasSize(1);

        backends.get(1 - lost).fail(Integer.MAX_VALUE);
        post("/v1/completions", "{\"prompt\":[20],\"max_tokens\":3}").get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        while (engines.get(1 - lost).failure() == null) {
            Thread.onSpinWait();
        }
        assertThat(get("/health").statusCode()).isEqualTo(503);
        assertThat(get("/health").body()).contains("engine_broken");
    }

    @Test
    void documentsThatArriveTogetherAreSpread() throws Exception {
        List<CompletableFuture<HttpResponse<String>>> all = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            all.add(post("/v1/documents", "{\"id\":\"d" + i + "\",\"tokens\":" + ids(40 * i, 200) + "}"));
        }
        List<Integer> places = new ArrayList<>();
        for (CompletableFuture<HttpResponse<String>> one : all) {
            places.add(JsonMapper.shared()
                    .readTree(one.get(PATIENCE_SECONDS, TimeUnit.SECONDS).body())
                    .path("engine")
                    .intValue());
        }
        assertThat(places).contains(0, 1);
    }
}
