package io.shadowkv.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Servers that are killed, and a disk that is full: a saved document is whole or absent afterwards.
class KilledServerTest {
    @TempDir
    private Path folder;

    private static JsonNode ok(HttpResponse<String> response) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return JsonMapper.shared().readTree(response.body());
    }

    private static String creation(String id, int fillers) {
        return "{\"id\":\"" + id + "\",\"text\":" + JsonMapper.shared().writeValueAsString(TestServer.text(fillers))
                + "}";
    }

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> !name.equals(".lock"))
                    .toList();
        }
    }

    private static String question(String id) {
        return TestServer.chat(TestServer.QUESTION, ",\"max_tokens\":40,\"document\":\"" + id + "\"");
    }

    /// Asks about the document, which must not be read again.
    private static String answer(ServerProcess server, int tokens) throws Exception {
        JsonNode body = ok(server.post("/v1/chat/completions", question("dawn")));
        assertThat(body.path("usage")
                        .path("prompt_tokens_details")
                        .path("cached_tokens")
                        .intValue())
                .isEqualTo(tokens);
        return body.path("choices").path(0).path("message").path("content").stringValue();
    }

    /// Kills the server as soon as the save has begun to write.
    private void killWhileSaving(ServerProcess server) throws Exception {
        List<String> before = files();
        CompletableFuture<HttpResponse<String>> saving = server.begin("/v1/documents/dawn/save", "");
        while (files().size() == before.size() && !saving.isDone()) {
            Thread.onSpinWait();
        }
        server.kill();
    }

    @Test
    void aKilledServerKeepsItsDocuments() throws Exception {
        int tokens;
        String answer;
        try (ServerProcess first = ServerProcess.start(folder)) {
            tokens = ok(first.post("/v1/documents", creation("dawn", 8)))
                    .path("tokens")
                    .intValue();
            answer = answer(first, tokens);
            assertThat(answer).contains(TestServer.ANSWER);
            killWhileSaving(first);
        }
        try (ServerProcess second = ServerProcess.start(folder)) {
            boolean isSaved = second.get("/v1/documents/dawn").statusCode() == 200;
            assertThat(files()).as("files of a save, or none").hasSize(isSaved ? 3 : 0);
            if (isSaved) {
                ok(second.post("/v1/documents/load", "{\"id\":\"dawn\"}"));
            } else {
                ok(second.post("/v1/documents", creation("dawn", 8)));
            }
            ok(second.post("/v1/documents/dawn/save", ""));
            assertThat(answer(second, tokens)).isEqualTo(answer);
            CompletableFuture<HttpResponse<String>> answering = second.begin(
                    "/v1/chat/completions",
                    TestServer.chat("hello", ",\"document\":\"dawn\",\"ignore_eos\":true,\"max_tokens\":10000"));
            while (!second.get("/metrics").body().contains("vllm:num_requests_running{model_name=\"needle-32k\"} 1")) {
                Thread.onSpinWait();
            }
            // The earlier save stays whole until the new one counts.
            killWhileSaving(second);
            assertThat(answering).failsWithin(Duration.ofMinutes(4));
        }
        try (ServerProcess third = ServerProcess.start(folder)) {
            assertThat(files()).hasSize(3);
            ok(third.post("/v1/documents/load", "{\"id\":\"dawn\"}"));
            assertThat(answer(third, tokens)).isEqualTo(answer);
        }
    }

    /// A limit on the size of files fails a write in its middle, as a full disk does.
    @Test
    void aFullDiskIsReported() throws Exception {
        List<String> small;
        try (ServerProcess server = ServerProcess.start(folder)) {
            long bytes = ok(server.post("/v1/documents", creation("dawn", 8)))
                    .path("bytes")
                    .longValue();
            server.limitFiles(bytes / 2);
            HttpResponse<String> refused = server.post("/v1/documents/dawn/save", "");
            assertThat(refused.statusCode()).as(refused.body()).isEqualTo(507);
            assertThat(refused.body()).contains("document_not_saved", "Free space in the folder");
            assertThat(files()).isEmpty();
            ok(server.post("/v1/documents", creation("small", 1)));
            ok(server.post("/v1/documents/small/save", ""));
            small = new ArrayList<>(files());
            assertThat(small).hasSize(3);
            assertThat(server.post("/v1/documents/dawn/save", "").statusCode()).isEqualTo(507);
            assertThat(files()).containsExactlyInAnyOrderElementsOf(small);
            assertThat(ok(server.post("/v1/chat/completions", question("dawn")))
                            .path("choices")
                            .path(0)
                            .path("message")
                            .path("content")
                            .stringValue())
                    .contains(TestServer.ANSWER);
            assertThat(server.get("/health/ready").statusCode()).isEqualTo(200);
        }
    }
}
