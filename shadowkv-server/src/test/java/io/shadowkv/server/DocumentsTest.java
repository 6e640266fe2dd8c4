package io.shadowkv.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.completions.Completion;
import com.openai.models.completions.CompletionCreateParams;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.EngineOptions;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// `/v1/documents`, and questions about documents.
class DocumentsTest {
    private static final int LIMIT = 3;
    private static TestServer server;
    private static OpenAIClient client;

    /// Ended prompts are not kept, so that only documents are found again.
    @BeforeAll
    static void start() {
        server = TestServer.start(
                EngineOptions.DEFAULT.withCache(KvCacheSpec.Shadow.DEFAULT),
                ServerOptions.DEFAULT
                        .withPort(0)
                        .withPingInterval(Duration.ofMillis(200))
                        .withLimits(ServerLimits.DEFAULT.withDocuments(LIMIT)));
        client = OpenAIOkHttpClient.builder()
                .baseUrl(server.base())
                .apiKey("any")
                .maxRetries(0)
                .build();
    }

    @AfterAll
    static void stop() {
        client.close();
        server.close();
    }

    @AfterEach
    void deleteAll() throws Exception {
        for (JsonNode document : TestServer.json(server.get("/v1/documents")).path("data")) {
            delete(document.path("id").stringValue());
        }
        assertThat(server.defects).isEmpty();
    }

    private static ObjectNode body(String name, Object value) {
        ObjectNode body = JsonMapper.shared().createObjectNode();
        body.putPOJO(name, value);
        return body;
    }

    private static HttpResponse<String> create(ObjectNode body) throws Exception {
        return server.post("/v1/documents", body.toString());
    }

    private static JsonNode created(ObjectNode body) throws Exception {
        HttpResponse<String> response = create(body);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return TestServer.json(response);
    }

    private static HttpResponse<String> delete(String id) throws Exception {
        return server.request("DELETE", "/v1/documents/" + id, "text/plain", "");
    }

    private static void refused(HttpResponse<String> response, int status, String code) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        JsonNode error = TestServer.json(response).path("error");
        assertThat(error.path("code").stringValue()).as(response.body()).isEqualTo(code);
        assertThat(response.headers().firstValue("X-Should-Retry")).contains("false");
    }

    private static ChatCompletionCreateParams.Builder chat(String question, String document) {
        return ChatCompletionCreateParams.builder()
                .model(TestServer.MODEL)
                .addUserMessage(question)
                .putAdditionalBodyProperty("document", JsonValue.from(document));
    }

    private static long cached(ChatCompletion answer) {
        return answer.usage()
                .orElseThrow()
                .promptTokensDetails()
                .orElseThrow()
                .cachedTokens()
                .orElseThrow();
    }

    private static String text(ChatCompletion answer) {
        return answer.choices().getFirst().message().content().orElseThrow();
    }

    /// The document is longer than what ShadowKV keeps whole.
    @Test
    void aChatAboutADocumentDoesNotReadItAgain() throws Exception {
        String text = TestServer.text(100);
        JsonNode document = created(body("text", text).put("name", "dawn.txt").put("id", "dawn"));
        int tokens = document.path("tokens").intValue();
        assertThat(tokens).isGreaterThan(3000);
        assertThat(document.path("id").stringValue()).isEqualTo("dawn");
        assertThat(document.path("object").stringValue()).isEqualTo("document");
        assertThat(document.path("name").stringValue()).isEqualTo("dawn.txt");
        assertThat(document.path("status").stringValue()).isEqualTo("ready");
        assertThat(document.path("bytes").longValue()).isPositive();
        assertThat(document.path("created").longValue()).isPositive();

        ChatCompletion answer = client.chat()
                .completions()
                .create(chat(TestServer.QUESTION, "dawn").build());
        assertThat(text(answer)).contains(TestServer.ANSWER);
        assertThat(cached(answer)).isEqualTo(tokens);
        // The same conversation without the field is found by its beginning.
        ChatCompletion plain = client.chat()
                .completions()
                .create(ChatCompletionCreateParams.builder()
                        .model(TestServer.MODEL)
                        .addUserMessage(text + TestServer.QUESTION)
                        .build());
        assertThat(cached(plain)).isEqualTo(tokens);
        assertThat(text(plain)).isEqualTo(text(answer));
        assertThat(plain.usage().orElseThrow().promptTokens())
                .isEqualTo(answer.usage().orElseThrow().promptTokens());

        assertThat(delete("dawn").statusCode()).isEqualTo(200);
        refused(delete("dawn"), 404, "document_not_found");
        refused(
                server.post("/v1/chat/completions", TestServer.chat("x", ",\"document\":\"dawn\"")),
                404,
                "document_not_found");
        ChatCompletion again = client.chat()
                .completions()
                .create(ChatCompletionCreateParams.builder()
                        .model(TestServer.MODEL)
                        .addUserMessage(text + TestServer.QUESTION)
                        .build());
        assertThat(cached(again)).isZero();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"What?", " what?", "7", "\n\nWhat?", "\nWhat?", "?", "\"What\"", "élan", "字", "🙂", "-", "the"})
    void anyQuestionMatchesTheDocument(String question) throws Exception {
        for (String end : List.of("the sky is blue", "the sky is blue.", "the sky is blue.\n", "12")) {
            int tokens = created(body("text", TestServer.text(2) + end).put("id", "d"))
                    .path("tokens")
                    .intValue();
            ChatCompletion answer = client.chat()
                    .completions()
                    .create(chat(question, "d").maxCompletionTokens(1).build());
            assertThat(cached(answer)).as("question %s after %s", question, end).isEqualTo(tokens);
            delete("d");
        }
    }

    @Test
    void theSystemMessageBelongsToTheDocument() throws Exception {
        int tokens = created(body("text", TestServer.text(2)).put("id", "d").put("system", "Answer briefly."))
                .path("tokens")
                .intValue();
        ChatCompletion answer = client.chat()
                .completions()
                .create(ChatCompletionCreateParams.builder()
                        .model(TestServer.MODEL)
                        .addSystemMessage("Answer briefly.")
                        .addUserMessage(TestServer.QUESTION)
                        .putAdditionalBodyProperty("document", JsonValue.from("d"))
                        .build());
        assertThat(cached(answer)).isEqualTo(tokens);
        // Without it, the document would be read again.
        refused(
                server.post("/v1/chat/completions", TestServer.chat("x", ",\"document\":\"d\"")),
                400,
                "document_mismatch");
    }

    @Test
    void aLaterTurnStillUsesTheDocument() throws Exception {
        int tokens = created(body("text", TestServer.text(2)).put("id", "d"))
                .path("tokens")
                .intValue();
        ChatCompletion answer = client.chat()
                .completions()
                .create(chat(TestServer.QUESTION, "d")
                        .addAssistantMessage("I do not know.")
                        .addUserMessage("Look again.")
                        .maxCompletionTokens(3)
                        .build());
        assertThat(cached(answer)).isEqualTo(tokens);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void completionsFollowTheDocument(boolean asIds) throws Exception {
        String text = TestServer.text(2);
        ObjectNode body = body("text", text).put("chat", false);
        if (asIds) {
            JsonNode tokens = TestServer.json(
                            server.post("/tokenize", body("prompt", text).toString()))
                    .path("tokens");
            body = body("tokens", tokens);
        }
        JsonNode document = created(body);
        CompletionCreateParams.Builder params = CompletionCreateParams.builder()
                .model(TestServer.MODEL)
                .maxTokens(8)
                .temperature(0);
        Completion answer = client.completions()
                .create(params.prompt(TestServer.QUESTION)
                        .putAdditionalBodyProperty(
                                "document", JsonValue.from(document.path("id").stringValue()))
                        .build());
        var usage = answer.usage().orElseThrow();
        assertThat(usage.promptTokensDetails().orElseThrow().cachedTokens())
                .contains(document.path("tokens").longValue());
        Completion plain = client.completions()
                .create(CompletionCreateParams.builder()
                        .model(TestServer.MODEL)
                        .maxTokens(8)
                        .temperature(0)
                        .prompt(text + TestServer.QUESTION)
                        .build());
        assertThat(plain.usage().orElseThrow().promptTokens()).isEqualTo(usage.promptTokens());
        assertThat(plain.choices().getFirst().text())
                .isEqualTo(answer.choices().getFirst().text());
        refused(
                server.post(
                        "/v1/chat/completions",
                        TestServer.chat(
                                "x", ",\"document\":" + document.path("id").toString())),
                400,
                "document_not_for_chats");
    }

    @Test
    void aPlainTextIsADocument() throws Exception {
        HttpResponse<String> response =
                server.request("POST", "/v1/documents", "text/plain; charset=utf-8", TestServer.text(2));
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        String id = TestServer.json(response).path("id").stringValue();
        assertThat(id).startsWith("doc-");
        assertThat(TestServer.json(server.get("/v1/documents/" + id))
                        .path("status")
                        .stringValue())
                .isEqualTo("ready");
        assertThat(server.metric("shadowkv:documents{model_name=\"needle-32k\",state=\"ready\"}"))
                .isEqualTo(1);
        assertThat(server.metric("shadowkv:document_read_seconds_count")).isPositive();
    }

    @Test
    void progressIsStreamed() throws Exception {
        HttpResponse<String> response =
                create(body("text", TestServer.text(100)).put("id", "d").put("stream", true));
        assertThat(response.headers().firstValue("Content-Type").orElse("")).startsWith("text/event-stream");
        List<JsonNode> events = response.body()
                .lines()
                .filter(line -> line.startsWith("data: {"))
                .map(line -> JsonMapper.shared().readTree(line.substring("data: ".length())))
                .toList();
        assertThat(response.body()).endsWith("data: [DONE]\n\n");
        assertThat(events.getLast().path("status").stringValue()).isEqualTo("ready");
        List<Long> processed = events.subList(0, events.size() - 1).stream()
                .map(event -> event.path("prompt_progress").path("processed").longValue())
                .toList();
        assertThat(processed).isSorted().hasSizeGreaterThanOrEqualTo(2);
        assertThat(processed.getLast())
                .isEqualTo(events.getLast().path("tokens").longValue());
    }

    @Test
    void thereAreOnlySoManyDocuments() throws Exception {
        for (int i = 0; i < LIMIT; i++) {
            created(body("text", "text " + i).put("id", "d" + i));
        }
        refused(create(body("text", "one more")), 507, "too_many_documents");
        refused(create(body("text", "x").put("id", "d0")), 409, "document_exists");
        List<String> ids = TestServer.json(server.get("/v1/documents"))
                .path("data")
                .valueStream()
                .map(document -> document.path("id").stringValue())
                .toList();
        assertThat(ids).containsExactly("d0", "d1", "d2");
        delete("d1");
        created(body("text", "one more"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\'', textBlock = """
            {}                                      | invalid_value
            {"text":""}                             | invalid_value
            {"text":"x","tokens":[1]}               | invalid_value
            {"text":1}                              | invalid_value
            {"tokens":[]}                           | invalid_value
            {"tokens":[-1]}                         | invalid_value
            {"tokens":[99999999]}                   | invalid_value
            {"tokens":[1],"chat":true}              | invalid_value
            {"tokens":[1],"system":"x"}             | invalid_value
            {"text":"x","id":"a/b"}                 | invalid_value
            {"text":"x","id":""}                    | invalid_value
            {"text":"x","id":"load"}                | invalid_value
            [1]                                     | invalid_json
            """)
    void aWrongDocumentIsRefused(String body, String code) throws Exception {
        refused(server.post("/v1/documents", body), 400, code);
    }

    @Test
    void whatDoesNotFitIsRefused() throws Exception {
        refused(create(body("text", TestServer.text(2000))), 400, "context_length_exceeded");
        assertThat(TestServer.json(server.get("/v1/documents")).path("data")).isEmpty();
    }

    @Test
    void pathsOfDocuments() throws Exception {
        created(body("text", "x").put("id", "d"));
        refused(server.get("/v1/documents/nobody"), 404, "document_not_found");
        refused(server.get("/v1/documents/"), 404, "unknown_url");
        refused(server.get("/v1/documents/d/other"), 404, "unknown_url");
        refused(server.post("/v1/documents/d", "{}"), 405, "method_not_allowed");
        refused(server.post("/v1/documents/d/save", "{}"), 400, "no_document_folder");
        refused(server.post("/v1/documents/load", "{\"id\":\"d\"}"), 400, "no_document_folder");
    }

    /// About 28,000 tokens take many pings to read.
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aClientThatGoesEndsTheReading(boolean streams) throws Exception {
        server.access.clear();
        try (RawClient raw = new RawClient(server)) {
            raw.post(
                    "/v1/documents",
                    body("text", TestServer.text(480))
                            .put("id", "d")
                            .put("stream", streams)
                            .toString());
            raw.readUntil("\r\n\r\n");
            assertThat(TestServer.json(server.get("/v1/documents/d"))
                            .path("status")
                            .stringValue())
                    .isEqualTo("reading");
            HttpResponse<String> early =
                    server.post("/v1/chat/completions", TestServer.chat("x", ",\"document\":\"d\""));
            assertThat(early.statusCode()).isEqualTo(503);
            assertThat(early.headers().firstValue("Retry-After")).isPresent();
        }
        assertThat(server.logged("POST /v1/documents ")).contains("client_gone=true");
        server.awaitIdle();
        refused(server.get("/v1/documents/d"), 404, "document_not_found");
    }

    @Test
    void aDocumentCanBeDeletedWhileItIsRead() throws Exception {
        try (RawClient raw = new RawClient(server)) {
            raw.post(
                    "/v1/documents",
                    body("text", TestServer.text(480))
                            .put("id", "d")
                            .put("stream", true)
                            .toString());
            raw.readUntil("document.progress");
            assertThat(delete("d").statusCode()).isEqualTo(200);
            assertThat(raw.readAll()).contains("event: error\n", "\"document_deleted\"");
        }
        server.awaitIdle();
    }
}
