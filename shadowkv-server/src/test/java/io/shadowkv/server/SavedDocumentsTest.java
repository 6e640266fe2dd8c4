package io.shadowkv.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.EngineOptions;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
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
            assertThat(files()).isEmpty();
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

    /// Names of the files of documents.
    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> !name.equals(".lock"))
                    .sorted()
                    .toList();
        }
    }

    private Path file(String end) throws IOException {
        return folder.resolve(
                files().stream().filter(name -> name.endsWith(end)).findFirst().orElseThrow());
    }

    @Test
    void damagedFilesAreNotUsed() throws Exception {
        try (TestServer server = server(SHADOW)) {
            create(server, TestServer.text(3));
            ok(server.post("/v1/documents/dawn/save", ""));
            byte[] cache = Files.readAllBytes(file(".shadowkv"));
            ok(delete(server));
            create(server, TestServer.text(4));
            ok(server.post("/v1/documents/dawn/save", ""));
            assertThat(files()).as("files of one save").hasSize(3);
            ok(delete(server));
            byte[] whole = Files.readAllBytes(file(".shadowkv"));
            Files.write(file(".shadowkv"), cache);
            assertThat(code(load(server), 500)).isEqualTo("document_damaged");
            Files.write(file(".shadowkv"), new byte[100]);
            assertThat(code(load(server), 500)).isEqualTo("document_damaged");
            Files.write(file(".shadowkv"), whole);
            Files.write(file(".text"), new byte[] {'{'});
            assertThat(code(load(server), 500)).isEqualTo("document_damaged");
            assertThat(states(server)).containsExactly("dawn saved");
            Files.write(folder.resolve("dawn.json"), new byte[] {'{'});
            assertThat(code(load(server), 500)).isEqualTo("document_damaged");
            assertThat(states(server)).containsExactly("dawn damaged");
            ok(delete(server));
            assertThat(states(server)).isEmpty();
        }
        // The files that no description names are removed at the next start.
        assertThat(files()).isNotEmpty();
        try (TestServer server = server(SHADOW)) {
            assertThat(states(server)).isEmpty();
            assertThat(files()).isEmpty();
        }
    }

    /// As after a crash while a document is saved, and while its description is written.
    @Test
    void leftoversAreRemovedAtTheStart() throws Exception {
        try (TestServer server = server(SHADOW)) {
            create(server, TestServer.text(3));
            ok(server.post("/v1/documents/dawn/save", ""));
        }
        List<String> whole = files();
        List<String> others = List.of("notes.txt", ".hidden.tmp", "dawn.0123456789abcdef.bin");
        for (String name : others) {
            Files.createFile(folder.resolve(name));
        }
        for (String name : List.of(
                "dawn.0123456789abcdef.shadowkv",
                "dawn.0123456789abcdef.text",
                ".dawn.0123456789abcdef.shadowkv.12345678-1234-1234-1234-123456789abc.tmp",
                ".dawn.json.12345678-1234-1234-1234-123456789abc.tmp")) {
            Files.createFile(folder.resolve(name));
        }
        // An unreadable description keeps its files.
        Files.createFile(folder.resolve("odd.json"));
        Files.createFile(folder.resolve("odd.0123456789abcdef.shadowkv"));
        try (TestServer server = server(SHADOW)) {
            assertThat(states(server)).containsExactly("dawn saved", "odd damaged");
            assertThat(files())
                    .containsAll(whole)
                    .containsAll(others)
                    .contains("odd.json", "odd.0123456789abcdef.shadowkv")
                    .hasSize(whole.size() + others.size() + 2);
            ok(load(server));
            assertThat(answer(ask(server))).contains(TestServer.ANSWER);
        }
    }

    @Test
    void aDocumentThatIsNotLoadedSaysSo() throws Exception {
        try (TestServer server = server(SHADOW)) {
            create(server, TestServer.text(3));
            ok(server.post("/v1/documents/dawn/save", ""));
            ok(delete(server));
            HttpResponse<String> answer =
                    server.post("/v1/chat/completions", TestServer.chat(TestServer.QUESTION, ",\"document\":\"dawn\""));
            assertThat(code(answer, 409)).isEqualTo("document_not_loaded");
            assertThat(answer.body()).contains("/v1/documents/load", "{\\\"id\\\":\\\"dawn\\\"}");
            assertThat(code(server.post("/v1/documents/dawn/save", ""), 409)).isEqualTo("document_not_loaded");
            assertThat(ok(server.get("/v1/documents/dawn")).path("status").stringValue())
                    .isEqualTo("saved");
            ok(load(server));
            assertThat(answer(ask(server))).contains(TestServer.ANSWER);
        }
    }

    /// The text may be a hundred megabytes; a list must not read it.
    @Test
    void theListReadsNoTexts() throws Exception {
        try (TestServer server = server(SHADOW)) {
            create(server, TestServer.text(3));
            ok(server.post("/v1/documents/dawn/save", ""));
            ok(delete(server));
            assertThat(Files.size(folder.resolve("dawn.json"))).isLessThan(1000);
            Files.delete(file(".text"));
            assertThat(states(server)).containsExactly("dawn saved");
        }
    }

    @Test
    void theFolderHasLimits() throws Exception {
        long bytes;
        ServerOptions options = ServerOptions.DEFAULT.withPort(0).withDocumentFolder(folder);
        try (TestServer server = TestServer.start(
                EngineOptions.DEFAULT.withCache(SHADOW),
                options.withLimits(ServerLimits.DEFAULT.withSaved(1, Long.MAX_VALUE)))) {
            bytes = create(server, TestServer.text(3)).path("bytes").longValue();
            ok(server.post("/v1/documents/dawn/save", ""));
            // Saving it again replaces it.
            ok(server.post("/v1/documents/dawn/save", ""));
            ok(server.post("/v1/documents", "{\"id\":\"other\",\"text\":\"x\"}"));
            HttpResponse<String> refused = server.post("/v1/documents/other/save", "");
            assertThat(code(refused, 507)).isEqualTo("too_many_saved_documents");
            assertThat(refused.body()).contains("at most 1 (--max-saved-documents)");
            assertThat(states(server)).containsExactly("dawn ready", "other ready");
        }
        long size = Files.size(file(".shadowkv")) + Files.size(file(".text"));
        assertThat(size).isBetween(bytes / 2, bytes * 2);
        try (TestServer server = TestServer.start(
                EngineOptions.DEFAULT.withCache(SHADOW),
                options.withLimits(ServerLimits.DEFAULT.withSaved(10, size + bytes / 2)))) {
            ok(load(server));
            ok(server.post("/v1/documents/dawn/save", ""));
            ok(server.post(
                    "/v1/documents",
                    "{\"id\":\"other\",\"text\":" + JsonMapper.shared().writeValueAsString(TestServer.text(3)) + "}"));
            assertThat(code(server.post("/v1/documents/other/save", ""), 507)).isEqualTo("saved_documents_too_large");
            assertThat(files()).hasSize(3);
        }
    }

    /// A document that is deleted while it is saved does not come back.
    @Test
    void aDeletionWhileADocumentIsSavedWins() throws Exception {
        try (TestServer server = server(SHADOW)) {
            create(server, TestServer.text(100));
            server.backend.hang();
            CompletableFuture<HttpResponse<String>> saving = CompletableFuture.supplyAsync(() -> {
                try {
                    return server.post("/v1/documents/dawn/save", "");
                } catch (IOException | InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            server.backend.awaitHung();
            CompletableFuture<HttpResponse<String>> deletion = CompletableFuture.supplyAsync(() -> {
                try {
                    return delete(server);
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            });
            while (!states(server).isEmpty()) {
                Thread.onSpinWait();
            }
            server.backend.release();
            ok(deletion.get(4, TimeUnit.MINUTES));
            assertThat(code(saving.get(4, TimeUnit.MINUTES), 409)).isEqualTo("document_deleted");
            assertThat(files()).isEmpty();
            assertThat(states(server)).isEmpty();
            assertThat(server.defects).isEmpty();
        }
    }

    /// Saves, deletions and loads of one document at the same time: each answers with one of the expected
    /// codes, and at the end the folder has whole files of one save, or none.
    @Test
    void manyAtOnceLeaveTheFolderWhole() throws Exception {
        try (TestServer server = server(SHADOW);
                ExecutorService threads = Executors.newFixedThreadPool(6)) {
            String text = JsonMapper.shared().writeValueAsString(TestServer.text(3));
            List<Callable<HttpResponse<String>>> kinds = List.of(
                    () -> server.post("/v1/documents", "{\"id\":\"dawn\",\"text\":" + text + "}"),
                    () -> server.post("/v1/documents/dawn/save", ""),
                    () -> server.post("/v1/documents/dawn/save", ""),
                    () -> load(server),
                    () -> delete(server),
                    () -> server.get("/v1/documents"));
            List<Future<HttpResponse<String>>> answers = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                for (Callable<HttpResponse<String>> kind : kinds) {
                    answers.add(threads.submit(kind));
                }
            }
            for (Future<HttpResponse<String>> answer : answers) {
                HttpResponse<String> response = answer.get(4, TimeUnit.MINUTES);
                assertThat(response.statusCode()).as(response.body()).isIn(200, 404, 409, 503);
            }
            assertThat(server.defects).isEmpty();
            while (server.get("/v1/documents/dawn").statusCode() == 200) {
                delete(server);
            }
            assertThat(files()).isEmpty();
            server.awaitIdle();
        }
    }

    @Test
    void aFolderThatCannotBeWrittenIsReported() throws Exception {
        try (TestServer server = server(SHADOW)) {
            create(server, TestServer.text(3));
            Files.deleteIfExists(folder.resolve(".lock"));
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
