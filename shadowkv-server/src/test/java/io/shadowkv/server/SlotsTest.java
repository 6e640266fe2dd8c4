package io.shadowkv.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.EngineOptions;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// `/slots` as llama.cpp's clients know it, and the metrics of memory.
class SlotsTest {
    private static final int SLOTS = 2;

    @TempDir
    private static Path folder;

    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start(
                EngineOptions.DEFAULT
                        .withCache(KvCacheSpec.Shadow.DEFAULT)
                        .withMaxBatch(SLOTS)
                        .withKeptPrompts(0),
                ServerOptions.DEFAULT.withPort(0).withDocumentFolder(folder));
    }

    @AfterAll
    static void stop() {
        assertThat(server.defects).isEmpty();
        server.close();
    }

    private static JsonNode ok(HttpResponse<String> response) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return TestServer.json(response);
    }

    private static void refused(HttpResponse<String> response, int status, String code) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        assertThat(TestServer.json(response).path("error").path("code").stringValue())
                .isEqualTo(code);
    }

    private static List<JsonNode> slots() throws Exception {
        return ok(server.get("/slots")).valueStream().toList();
    }

    private static RawClient answering() throws Exception {
        RawClient client = new RawClient(server);
        client.post(
                "/v1/chat/completions",
                TestServer.chat("hello", ",\"stream\":true,\"ignore_eos\":true,\"max_tokens\":20000"));
        client.readUntil("\"delta\":{\"content\":");
        return client;
    }

    @Test
    void slotsShowWhatRuns() throws Exception {
        server.awaitIdle();
        assertThat(slots()).hasSize(SLOTS).allSatisfy(slot -> {
            assertThat(slot.path("is_processing").booleanValue()).isFalse();
            assertThat(slot.path("id_task").intValue()).isEqualTo(-1);
        });
        try (RawClient first = answering()) {
            JsonNode slot = slots().getFirst();
            assertThat(slot.path("id").intValue()).isZero();
            assertThat(slot.path("is_processing").booleanValue()).isTrue();
            assertThat(slot.path("n_ctx").intValue()).isEqualTo(server.engine.contextTokens());
            assertThat(slot.path("n_prompt_tokens").intValue()).isPositive();
            assertThat(slot.path("params").path("n_predict").intValue()).isEqualTo(20_000);
            int decoded = slot.path("next_token").path("n_decoded").intValue();
            assertThat(decoded).isPositive();
            assertThat(slot.path("next_token").path("n_remain").intValue()).isEqualTo(20_000 - decoded);
            assertThat(server.get("/slots?fail_on_no_slot=1").statusCode()).isEqualTo(200);
            try (RawClient second = answering()) {
                assertThat(slots())
                        .hasSize(SLOTS)
                        .allSatisfy(one -> assertThat(one.path("is_processing").booleanValue())
                                .isTrue());
                refused(server.get("/slots?x=%20&fail_on_no_slot=1"), 503, "no_slot");
                second.vanish();
            }
            first.vanish();
        }
        server.awaitIdle();
        while (slots().stream().anyMatch(slot -> slot.path("is_processing").booleanValue())) {
            Thread.onSpinWait();
        }
    }

    @Test
    void documentsAreSavedRestoredAndErased() throws Exception {
        String text = JsonMapper.shared().writeValueAsString(TestServer.text(3));
        int tokens = ok(server.post("/v1/documents", "{\"id\":\"7\",\"text\":" + text + "}"))
                .path("tokens")
                .intValue();
        JsonNode saved = ok(server.post("/slots/7?action=save", "{\"filename\":\"any.bin\"}"));
        assertThat(saved.path("id_slot").stringValue()).isEqualTo("7");
        assertThat(saved.path("filename").stringValue()).startsWith("7.").endsWith(".shadowkv");
        assertThat(saved.path("n_saved").intValue()).isEqualTo(tokens);
        assertThat(saved.path("n_written").longValue()).isPositive();
        assertThat(saved.path("timings").path("save_ms").doubleValue()).isPositive();
        assertThat(ok(server.post("/slots/7?action=erase", "")).path("n_erased").intValue())
                .isEqualTo(tokens);
        JsonNode restored = ok(server.post("/slots/7?action=restore", ""));
        assertThat(restored.path("n_restored").intValue()).isEqualTo(tokens);
        assertThat(restored.path("n_read").longValue())
                .isEqualTo(saved.path("n_written").longValue());
        assertThat(restored.path("timings").path("restore_ms").doubleValue()).isPositive();
        assertThat(ok(server.post(
                                "/v1/chat/completions",
                                TestServer.chat(TestServer.QUESTION, ",\"max_tokens\":2,\"document\":\"7\"")))
                        .path("usage")
                        .path("prompt_tokens_details")
                        .path("cached_tokens")
                        .intValue())
                .isEqualTo(tokens);
        ok(server.post("/slots/7?action=erase", ""));
        ok(server.post("/slots/7?action=erase", ""));
        refused(server.post("/slots/7?action=erase", ""), 400, "invalid_value");
        refused(server.post("/slots/dawn?action=erase", ""), 404, "document_not_found");
        refused(server.post("/slots/0?action=save", ""), 400, "invalid_value");
        refused(server.post("/slots/dawn?action=burn", ""), 400, "invalid_value");
        refused(server.post("/slots/dawn", ""), 400, "invalid_value");
    }

    /// The bytes in the list of documents are those of the metrics.
    @Test
    void memoryIsMeasured() throws Exception {
        server.awaitIdle();
        double before = server.metric("shadowkv:kv_bytes{");
        String text = JsonMapper.shared().writeValueAsString(TestServer.text(3));
        ok(server.post("/v1/documents", "{\"id\":\"memory\",\"text\":" + text + "}"));
        long bytes = ok(server.get("/v1/documents/memory")).path("bytes").longValue();
        assertThat(bytes).isPositive();
        assertThat(server.metric("shadowkv:kv_bytes{") - before).isEqualTo(bytes);
        assertThat(server.metric("shadowkv:kv_bytes{model_name=\"needle-32k\",place=\"device\"}"))
                .isPositive();
        assertThat(server.metric("shadowkv:document_bytes")).isEqualTo(bytes);
        assertThat(server.metric("vllm:kv_cache_usage_perc")).isBetween(Double.MIN_VALUE, 1.0);
        ok(server.request("DELETE", "/v1/documents/memory", "text/plain", ""));
        assertThat(server.metric("shadowkv:kv_bytes{")).isEqualTo(before);
    }
}
