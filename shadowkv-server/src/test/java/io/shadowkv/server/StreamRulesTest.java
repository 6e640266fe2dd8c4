package io.shadowkv.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The bytes of event streams, line by line.
class StreamRulesTest {
    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static HttpResponse<String> stream(String further) throws IOException, InterruptedException {
        return server.post(
                "/v1/chat/completions",
                TestServer.chat(TestServer.question(2), ",\"stream\":true,\"max_tokens\":12" + further));
    }

    private static List<JsonNode> chunks(HttpResponse<String> response) {
        return response.body()
                .lines()
                .filter(line -> line.startsWith("data: {"))
                .map(line -> JsonMapper.shared().readTree(line.substring("data: ".length())))
                .toList();
    }

    @Test
    void theHeadForbidsBuffers() throws Exception {
        HttpResponse<String> response = stream("");
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("Content-Type").orElse("")).startsWith("text/event-stream");
        assertThat(response.headers().firstValue("Cache-Control")).contains("no-cache");
        assertThat(response.headers().firstValue("X-Accel-Buffering")).contains("no");
    }

    @Test
    void everyLineIsACommentOneDataLineOrEmpty() throws Exception {
        List<String> lines = stream("").body().lines().toList();
        assertThat(lines).allMatch(line -> line.isEmpty() || line.startsWith(": ") || line.startsWith("data: "));
        assertThat(lines.stream().filter(line -> !line.isEmpty()).toList().getLast())
                .isEqualTo("data: [DONE]");
        for (int i = 0; i + 1 < lines.size(); i += 2) {
            assertThat(lines.get(i)).isNotEmpty();
            assertThat(lines.get(i + 1)).isEmpty();
        }
    }

    @Test
    void everyChunkHasItsHeadAndOneEnd() throws Exception {
        List<JsonNode> chunks = chunks(stream(""));
        assertThat(chunks).allSatisfy(chunk -> {
            assertThat(chunk.path("id").stringValue())
                    .isEqualTo(chunks.getFirst().path("id").stringValue());
            assertThat(chunk.path("object").stringValue()).isEqualTo("chat.completion.chunk");
            assertThat(chunk.path("created").isIntegralNumber()).isTrue();
            assertThat(chunk.path("model").stringValue()).isEqualTo(TestServer.MODEL);
            assertThat(chunk.path("choices").path(0).path("index").intValue()).isZero();
            assertThat(chunk.has("usage")).isFalse();
        });
        JsonNode first = chunks.getFirst().path("choices").path(0).path("delta");
        assertThat(first.toString()).isEqualTo("{\"role\":\"assistant\",\"content\":\"\"}");
        assertThat(chunks.subList(0, chunks.size() - 1))
                .allMatch(chunk ->
                        chunk.path("choices").path(0).path("finish_reason").isNull());
        assertThat(chunks.getLast()
                        .path("choices")
                        .path(0)
                        .path("finish_reason")
                        .stringValue())
                .isEqualTo("length");
    }

    @Test
    void usageComesInOneLastChunk() throws Exception {
        List<JsonNode> chunks = chunks(stream(",\"stream_options\":{\"include_usage\":true}"));
        JsonNode last = chunks.getLast();
        assertThat(last.path("choices").isEmpty()).isTrue();
        assertThat(last.path("usage").path("completion_tokens").intValue()).isEqualTo(12);
        assertThat(last.path("usage")
                        .path("prompt_tokens_details")
                        .path("cached_tokens")
                        .isNumber())
                .isTrue();
        assertThat(chunks.subList(0, chunks.size() - 1)).noneMatch(chunk -> chunk.has("usage"));
    }

    @Test
    void progressIsReportedWhileThePromptIsRead() throws Exception {
        List<JsonNode> progress = chunks(stream(",\"return_progress\":true")).stream()
                .filter(chunk -> chunk.has("prompt_progress"))
                .map(chunk -> chunk.path("prompt_progress"))
                .toList();
        assertThat(progress).isNotEmpty();
        JsonNode last = progress.getLast();
        assertThat(last.path("processed").intValue())
                .isEqualTo(last.path("total").intValue());
        assertThat(last.has("cache") && last.has("time_ms")).isTrue();
    }

    @Test
    void completionsStreamToo() throws Exception {
        List<JsonNode> chunks = chunks(server.post(
                "/v1/completions",
                "{\"prompt\":[\"One\",\"Two\"],\"n\":2,\"max_tokens\":3,\"stream\":true,\"echo\":true}"));
        assertThat(chunks.stream()
                        .map(chunk ->
                                chunk.path("choices").path(0).path("index").intValue()))
                .contains(0, 1, 2, 3);
        assertThat(chunks.get(0).path("choices").path(0).path("text").stringValue())
                .isEqualTo("One");
        assertThat(chunks.get(3).path("choices").path(0).path("text").stringValue())
                .isEqualTo("Two");
        assertThat(chunks.subList(chunks.size() - 4, chunks.size()))
                .allMatch(chunk ->
                        chunk.path("choices").path(0).path("finish_reason").isString());
    }

    @Test
    void aFailureInAStreamIsAnErrorEvent() throws Exception {
        try (TestServer own = TestServer.start();
                RawClient client = new RawClient(own)) {
            client.post("/v1/chat/completions", TestServer.chat(TestServer.question(480), ",\"stream\":true"));
            client.readUntil("\"role\":\"assistant\"");
            own.engine.close();
            String rest = client.readAll();
            assertThat(rest).contains("event: error\n").doesNotContain("[DONE]");
            String data = rest.substring(rest.indexOf("event: error\n") + "event: error\n".length());
            JsonNode error = JsonMapper.shared()
                    .readTree(data.lines().findFirst().orElseThrow().substring("data: ".length()))
                    .path("error");
            assertThat(error.propertyNames()).containsExactly("message", "type", "param", "code");
        }
    }

    /// vLLM's `return_token_ids`: also a token that completes no character has its chunk.
    @Test
    void eachTokenHasItsIdIfAskedFor() throws Exception {
        List<JsonNode> chunks = chunks(stream(",\"ignore_eos\":true,\"return_token_ids\":true"));
        List<JsonNode> ids = chunks.stream()
                .map(chunk -> chunk.path("choices").path(0).path("token_ids"))
                .filter(JsonNode::isArray)
                .toList();
        assertThat(ids).hasSize(12).allSatisfy(one -> assertThat(one.size()).isEqualTo(1));
        assertThat(chunks(stream("")))
                .noneMatch(chunk -> chunk.path("choices").path(0).has("token_ids"));
    }

    @Test
    void theModelSaysHowItIsServed() throws Exception {
        JsonNode meta =
                TestServer.json(server.get("/v1/models")).path("data").path(0).path("meta");
        assertThat(meta.path("n_vocab").intValue())
                .isEqualTo(server.engine.spec().vocabularySize());
        assertThat(meta.path("has_tokenizer").booleanValue()).isTrue();
        assertThat(meta.path("method").stringValue())
                .isEqualTo(server.engine.options().cache().name());
        assertThat(meta.path("strategy").stringValue())
                .isEqualTo(server.engine.options().cache().toString());
        assertThat(meta.path("device").stringValue()).isNotEmpty();
    }
}
