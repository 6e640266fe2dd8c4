package io.shadowkv.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Failures of the engine: what clients, health checks and the log are told.
class BrokenEngineTest {
    private static final String REASON = "the device has fallen off the bus";

    private static void broken(HttpResponse<String> response) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(503);
        assertThat(response.headers().firstValue("X-Should-Retry")).contains("false");
        assertThat(response.headers().firstValue("Retry-After")).isEmpty();
        JsonNode error = TestServer.json(response).path("error");
        assertThat(error.path("code").stringValue()).isEqualTo("engine_broken");
        assertThat(error.path("message").stringValue()).contains(REASON);
    }

    @Test
    void aBrokenEngineIsNotHealthy() throws Exception {
        try (TestServer server = TestServer.start()) {
            assertThat(server.get("/health").statusCode()).isEqualTo(200);
            server.backend.fail(Integer.MAX_VALUE);
            HttpResponse<String> first = server.post("/v1/completions", "{\"prompt\":\"x\",\"max_tokens\":2}");
            assertThat(first.statusCode()).isIn(500, 503);
            server.awaitIdle();
            for (int i = 0; i < 2; i++) {
                broken(server.get("/health"));
                broken(server.get("/health/ready"));
                broken(server.post("/v1/chat/completions", TestServer.chat("x", "")));
                broken(server.post("/v1/chat/completions", TestServer.chat("x", ",\"stream\":true")));
                broken(server.post("/v1/documents", "{\"text\":\"x\"}"));
            }
            assertThat(server.get("/v1/models").statusCode()).isEqualTo(200);
            assertThat(server.get("/metrics").statusCode()).isEqualTo(200);
            // The request that broke it, and the engine once.
            List<Throwable> defects = List.copyOf(server.defects);
            assertThat(defects)
                    .hasSizeBetween(1, 2)
                    .allSatisfy(defect -> assertThat(defect)
                            .hasStackTraceContaining(REASON)
                            .hasStackTraceContaining("FaultyBackend.synchronize"));
        }
    }

    /// One failed wait fails one request and not the engine.
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aFailureHasItsCauseInTheLog(boolean streams) throws Exception {
        try (TestServer server = TestServer.start()) {
            server.backend.fail(1);
            HttpResponse<String> failed = server.post(
                    "/v1/chat/completions", TestServer.chat(TestServer.question(1), ",\"stream\":" + streams));
            if (streams) {
                assertThat(failed.body())
                        .contains("event: error\n", "\"internal_error\"")
                        .doesNotContain("[DONE]")
                        .doesNotContain(REASON);
            } else {
                assertThat(failed.statusCode()).isEqualTo(500);
                assertThat(failed.body()).contains("\"internal_error\"").doesNotContain(REASON);
            }
            logged(server);
            assertThat(server.logged("/v1/chat/completions")).contains("error=internal_error");
            assertThat(server.get("/health/ready").statusCode()).isEqualTo(200);
            assertThat(server.post("/v1/chat/completions", TestServer.chat(TestServer.question(1), ""))
                            .body())
                    .contains(TestServer.ANSWER);
        }
    }

    /// Document readings last many pings, so that their head is sent before the failure.
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aReadingThatFailsEndsWithAnError(boolean streams) throws Exception {
        try (TestServer server = TestServer.start();
                RawClient client = new RawClient(server)) {
            String text = JsonMapper.shared().writeValueAsString(TestServer.text(300));
            client.post("/v1/documents", "{\"id\":\"d\",\"stream\":" + streams + ",\"text\":" + text + "}");
            client.readUntil("\r\n\r\n");
            server.backend.fail(1);
            String answer = client.readAll();
            assertThat(answer).contains("\"internal_error\"").doesNotContain(REASON);
            if (streams) {
                assertThat(answer).contains("event: error\n").doesNotContain("[DONE]");
            }
            logged(server);
            assertThat(server.logged("POST /v1/documents 200")).contains("error=internal_error");
            assertThat(server.get("/v1/documents/d").statusCode()).isEqualTo(404);
        }
    }

    private static void logged(TestServer server) throws InterruptedException {
        assertThat(server.defects.poll(1, TimeUnit.MINUTES))
                .hasStackTraceContaining(REASON)
                .hasStackTraceContaining("FaultyBackend.synchronize");
        assertThat(server.defects).isEmpty();
    }

    @Test
    void aStepThatHangsIsNotReady() throws Exception {
        try (TestServer server = TestServer.startImpatient(Duration.ofMillis(300));
                RawClient client = new RawClient(server)) {
            try {
                server.backend.hang();
                client.post("/v1/chat/completions", TestServer.chat("x", ",\"stream\":true,\"max_tokens\":2"));
                HttpResponse<String> response = server.get("/health/ready");
                while (response.statusCode() == 200) {
                    response = server.get("/health/ready");
                }
                assertThat(response.body()).contains("\"stuck\"");
                assertThat(response.headers().firstValue("Retry-After")).isPresent();
                assertThat(server.get("/health").statusCode()).isEqualTo(200);
            } finally {
                server.backend.release();
            }
            client.readUntil("[DONE]");
            server.awaitIdle();
            assertThat(server.get("/health/ready").statusCode()).isEqualTo(200);
        }
    }

    /// The sequence stops when the buffers between it and the reader are full. The engine goes on.
    @Test
    void aSlowReaderDoesNotMakeTheServerUnready() throws Exception {
        Duration stuckAfter = Duration.ofSeconds(1);
        try (TestServer server = TestServer.startImpatient(stuckAfter)) {
            // Code is compiled in the first steps.
            server.post("/v1/chat/completions", TestServer.chat("hello", ",\"max_tokens\":5"));
            SlowReader reader = new SlowReader(server);
            long tokens = 0;
            long since = System.nanoTime();
            while (tokens == 0 || System.nanoTime() - since < stuckAfter.toNanos() + 500_000_000) {
                long now = server.server.generatedTokens();
                if (now != tokens) {
                    tokens = now;
                    since = System.nanoTime();
                }
                Thread.sleep(20);
            }
            HttpResponse<String> ready = server.get("/health/ready");
            assertThat(ready.statusCode()).as(ready.body()).isEqualTo(200);
            assertThat(server.engine.runningRequests()).isEqualTo(1);
            reader.close();
        }
    }
}
