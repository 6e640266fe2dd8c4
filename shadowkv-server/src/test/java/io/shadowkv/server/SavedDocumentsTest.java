package io.shadowkv.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.EngineOptions;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Documents that are saved and loaded, also by another server.
class SavedDocumentsTest {
    private static final KvCacheSpec SHADOW = KvCacheSpec.Shadow.DEFAULT;

    @TempDir
    private Path folder;

    private TestServer server(KvCacheSpec cache) {
        return TestServer.start(
                EngineOptions.DEFAULT.withCache(cache),
                ServerOptions.DEFAULT.withPort(0).withDocumentFolder(folder));
    }

    private static JsonNode ok(HttpResponse<String> response) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return TestServer.json(response);
    }

    private static String code(HttpResponse<String> response, int status) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        return TestServer.json(response).path("error").path("code").stringValue();
    }

    private static JsonNode create(TestServer server, String text) throws Exception {
        return ok(server.post(
                "/v1/documents",
                "{\"id\":\"dawn\",\"name\":\"n\",\"text\":"
                        + JsonMapper.shared().writeValueAsString(text) + "}"));
    }

    private static JsonNode ask(TestServer server) throws Exception {
        return ok(server.post("/v1/chat/completions", TestServer.chat(TestServer.QUESTION, ",\"document\":\"dawn\"")));
    }

    private static String answer(JsonNode body) {
        return body.path("choices").path(0).path("message").path("content").stringValue();
    }

    private static long cached(JsonNode body) {
        return body.path("usage")
                .path("prompt_tokens_details")
                .path("cached_tokens")
                .longValue();
    }

    private static HttpResponse<String> load(TestServer server) throws Exception {
        return server.post("/v1/documents/load", "{\"id\":\"dawn\"}");
    }

    private static HttpResponse<String> delete(TestServer server) throws Exception {
        return server.request("DELETE", "/v1/documents/dawn", "text/plain", "");
    }

    private static List<String> states(TestServer server) throws Exception {
        return ok(server.get("/v1/documents"))
                .path("data")
                .valueStream()
                .map(document -> document.path("id").stringValue() + " "
                        + document.path("status").stringValue())
                .toList();
    }

    @Test
    void anotherServerKnowsTheDocument() throws Exception {
        long tokens;
        String answer;
        try (TestServer first = server(SHADOW)) {
            tokens = create(first, TestServer.text(100)).path("tokens").longValue();
            answer = answer(ask(first));
            assertThat(answer).contains(TestServer.ANSWER);
            assertThat(ok(first.post("/v1/documents/dawn/save", ""))
                            .path("saved")
                            .booleanValue())
                    .isTrue();
            assertThat(code(load(first), 409)).isEqualTo("document_exists");
        }
        try (TestServer second = server(SHADOW)) {
            assertThat(states(second)).containsExactly("dawn saved");
            JsonNode loaded = ok(load(second));
            assertThat(loaded.path("status").stringValue()).isEqualTo("ready");
            assertThat(loaded.path("name").stringValue()).isEqualTo("n");
            assertThat(states(second)).containsExactly("dawn ready");
            JsonNode body = ask(second);
            assertThat(cached(body)).isEqualTo(tokens);
            assertThat(answer(body)).isEqualTo(answer);
            assertThat(second.metric("shadowkv:document_restore_seconds_count")).isEqualTo(1);
            // The first deletion frees the memory, the second one deletes the files.
            ok(delete(second));
            assertThat(states(second)).containsExactly("dawn saved");
            ok(delete(second));
            assertThat(states(second)).isEmpty();
            assertThat(code(delete(second), 404)).isEqualTo("document_not_found");
            assertThat(code(load(second), 404)).isEqualTo("document_not_found");
            assertThat(folder).isEmptyDirectory();
        }
    }

    @Test
    void aDocumentOfAnotherStrategyIsRefused() throws Exception {
        try (TestServer first = server(SHADOW)) {
            create(first, TestServer.text(3));
            ok(first.post("/v1/documents/dawn/save", ""));
        }
        try (TestServer second = server(new KvCacheSpec.Full())) {
            assertThat(code(load(second), 400)).isEqualTo("document_of_another_model");
            assertThat(states(second)).containsExactly("dawn saved");
        }
    }

    /// As after a crash between the two files of a second save.
    @Test
    void filesOfDifferentDocumentsAreNotUsed() throws Exception {
        try (TestServer server = server(SHADOW)) {
            create(server, TestServer.text(3));
            ok(server.post("/v1/documents/dawn/save", ""));
            byte[] description = Files.readAllBytes(folder.resolve("dawn.json"));
            ok(delete(server));
            create(server, TestServer.text(4));
            ok(server.post("/v1/documents/dawn/save", ""));
            ok(delete(server));
            Files.write(folder.resolve("dawn.json"), description);
            assertThat(code(load(server), 500)).isEqualTo("document_damaged");
            Files.write(folder.resolve("dawn.json"), new byte[] {'{'});
            assertThat(code(load(server), 500)).isEqualTo("document_damaged");
            assertThat(states(server)).containsExactly("dawn damaged");
            Files.write(folder.resolve("dawn.json"), description);
            Files.write(folder.resolve("dawn.shadowkv"), new byte[100]);
            assertThat(code(load(server), 500)).isEqualTo("document_damaged");
            assertThat(states(server)).containsExactly("dawn saved");
        }
    }

    @Test
    void aFolderThatCannotBeWrittenIsReported() throws Exception {
        try (TestServer server = server(SHADOW)) {
            create(server, TestServer.text(3));
            Files.delete(folder);
            Files.createFile(folder);
            assertThat(code(server.post("/v1/documents/dawn/save", ""), 507)).isEqualTo("document_not_saved");
            assertThat(answer(ask(server))).contains(TestServer.ANSWER);
        }
    }

    @Test
    void aPathIsNoIdentifier() throws Exception {
        try (TestServer server = server(SHADOW)) {
            assertThat(code(server.post("/v1/documents/load", "{\"id\":\"../secret\"}"), 404))
                    .isEqualTo("document_not_found");
            assertThat(code(server.request("DELETE", "/v1/documents/..%2Fsecret", "text/plain", ""), 404))
                    .isEqualTo("document_not_found");
        }
    }
}
