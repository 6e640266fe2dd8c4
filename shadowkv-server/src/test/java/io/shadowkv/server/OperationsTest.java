package io.shadowkv.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.errors.RateLimitException;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import io.shadowkv.cache.prefill.PrefillSpec;
import io.shadowkv.engine.EngineOptions;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// Loading, limits, draining, metrics and tokens.
class OperationsTest {
    private static final ServerLog SILENT = new ServerLog() {
        @Override
        public void access(String line) {}

        @Override
        public void defect(String request, Throwable cause) {}
    };

    @Test
    void aServerThatLoadsSaysSo() throws Exception {
        try (ApiServer server = ApiServer.start(ServerOptions.DEFAULT.withPort(0), SILENT);
                HttpClient client = HttpClient.newHttpClient()) {
            String url = "http://127.0.0.1:" + server.address().getPort();
            for (String path : new String[] {"/health", "/health/ready", "/v1/models"}) {
                HttpResponse<String> response = client.send(
                        HttpRequest.newBuilder(URI.create(url + path)).build(), HttpResponse.BodyHandlers.ofString());
                assertThat(response.statusCode()).isEqualTo(503);
                assertThat(response.headers().firstValue("Retry-After")).isPresent();
                assertThat(response.headers().firstValue("X-Should-Retry")).contains("true");
                assertThat(response.body()).contains("\"loading\"");
            }
        }
    }

    /// openai-java retries what is busy.
    @Test
    void aKeyRunsAsManyRequestsAsItMay() throws Exception {
        ServerLimits limits = new ServerLimits(1 << 20, Duration.ZERO, 1, 1, 16);
        try (TestServer server = TestServer.start(options -> options.withLimits(limits));
                RawClient first = new RawClient(server)) {
            first.post(
                    "/v1/chat/completions",
                    TestServer.chat("hello", ",\"stream\":true,\"ignore_eos\":true,\"max_tokens\":20000"));
            first.readUntil("\"role\":\"assistant\"");
            OpenAIClient client = OpenAIOkHttpClient.builder()
                    .baseUrl(server.base())
                    .apiKey("any")
                    .maxRetries(1)
                    .build();
            assertThatThrownBy(() -> client.chat()
                            .completions()
                            .create(ChatCompletionCreateParams.builder()
                                    .model(TestServer.MODEL)
                                    .addUserMessage("x")
                                    .build()))
                    .isInstanceOf(RateLimitException.class)
                    .hasMessageContaining("1 requests already");
            server.logged("error=too_many_requests");
            server.logged("error=too_many_requests");
            first.vanish();
            server.logged("client_gone=true");
            assertThat(server.post("/v1/chat/completions", TestServer.chat("x", ""))
                            .statusCode())
                    .isEqualTo(200);
            client.close();
        }
    }

    @Test
    void aRunningAnswerEndsBeforeTheServer() throws Exception {
        try (TestServer server = TestServer.start();
                RawClient client = new RawClient(server)) {
            client.post(
                    "/v1/chat/completions",
                    TestServer.chat("hello", ",\"stream\":true,\"ignore_eos\":true,\"max_tokens\":1000"));
            client.readUntil("\"role\":\"assistant\"");
            CompletableFuture<Boolean> drained = CompletableFuture.supplyAsync(() -> {
                try {
                    return server.server.drain(Duration.ofMinutes(4));
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            assertThat(client.readAll()).contains("\"finish_reason\":\"length\"", "data: [DONE]");
            assertThat(drained.get(5, TimeUnit.MINUTES)).isTrue();
        }
    }

    @Test
    void aTimeLimitEndsARequest() throws Exception {
        ServerLimits limits = new ServerLimits(1 << 20, Duration.ofMillis(1), 0, 1, 16);
        try (TestServer server = TestServer.start(options -> options.withLimits(limits))) {
            HttpResponse<String> response =
                    server.post("/v1/chat/completions", TestServer.chat(TestServer.question(20), ",\"stream\":true"));
            assertThat(response.body()).contains("event: error\n", "\"request_timeout\"", "--request-timeout");
        }
    }

    @Test
    void metricsSayHowDenselyPromptsWereRead() throws Exception {
        PrefillSpec sparse = PrefillSpec.Blocks.DEFAULT.withMinTokens(500).withForcedShare(0.6);
        EngineOptions options = EngineOptions.DEFAULT.withPrefill(sparse);
        try (TestServer server = TestServer.start(options, ServerOptions.DEFAULT.withPort(0))) {
            server.post("/v1/chat/completions", TestServer.chat(TestServer.question(40), ""));
            double pairs = server.metric("shadowkv:prefill_attention_pairs_total");
            assertThat(pairs).isPositive();
            assertThat(server.metric("shadowkv:prefill_attention_computed_pairs_total") / pairs)
                    .isBetween(0.4, 0.95);
        }
    }

    @Test
    void metricsCountAndTokensGoBothWays() throws Exception {
        try (TestServer server = TestServer.start()) {
            HttpResponse<String> answer =
                    server.post("/v1/chat/completions", TestServer.chat(TestServer.question(1), ""));
            int generated = TestServer.json(answer)
                    .path("usage")
                    .path("completion_tokens")
                    .intValue();
            assertThat(server.metric("vllm:generation_tokens_total")).isEqualTo(generated);
            assertThat(server.metric("vllm:request_success_total{finished_reason=\"stop\""))
                    .isEqualTo(1);
            assertThat(server.metric("vllm:time_to_first_token_seconds_count")).isEqualTo(1);
            assertThat(server.metric("vllm:inter_token_latency_seconds_count")).isEqualTo(generated - 1);
            String text = server.get("/metrics").body();
            assertThat(text)
                    .contains(
                            "vllm:num_requests_running{model_name=\"needle-32k\"} 0.0",
                            "vllm:num_requests_waiting",
                            "vllm:prompt_tokens_total",
                            "vllm:prefix_cache_hits_total",
                            "vllm:request_queue_time_seconds_bucket",
                            "vllm:e2e_request_latency_seconds_sum");

            HttpResponse<String> tokens = server.post("/tokenize", "{\"prompt\":\"The grüne 🙂 grass\"}");
            String ids = TestServer.json(tokens).path("tokens").toString();
            assertThat(TestServer.json(server.post("/detokenize", "{\"tokens\":" + ids + "}"))
                            .path("prompt")
                            .stringValue())
                    .isEqualTo("The grüne 🙂 grass");
            assertThat(TestServer.json(server.post("/tokenize", TestServer.chat(TestServer.question(1), "")))
                            .path("count")
                            .intValue())
                    .isEqualTo(TestServer.json(answer)
                            .path("usage")
                            .path("prompt_tokens")
                            .intValue());
        }
    }
}
