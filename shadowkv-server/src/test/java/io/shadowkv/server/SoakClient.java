package io.shadowkv.server;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// One client of a soak: short chats, a document of its own, and requests that it abandons.
final class SoakClient {
    private final TestServer server;
    private final SoakCounts counts;
    private final Random random;
    private final String document;

    /// @param document identifier of the client's document
    SoakClient(TestServer server, SoakCounts counts, long seed, String document) {
        this.server = server;
        this.counts = counts;
        this.random = new Random(seed);
        this.document = document;
    }

    void run(AtomicBoolean isOver) {
        try {
            while (!isOver.get()) {
                one();
            }
        } catch (IOException | InterruptedException | RuntimeException e) {
            counts.wrong(document + ": " + e);
        }
    }

    private void one() throws IOException, InterruptedException {
        int kind = random.nextInt(100);
        if (kind < 45) {
            chat();
        } else if (kind < 65) {
            abandoned();
        } else if (kind < 80) {
            question();
        } else if (kind < 95) {
            documents();
        } else {
            check("metrics", server.get("/metrics"), Set.of(200));
            check("slots", server.get("/slots"), Set.of(200));
        }
    }

    private String fields() {
        return ",\"stream\":" + random.nextBoolean() + ",\"ignore_eos\":true,\"n\":" + (1 + random.nextInt(2))
                + ",\"max_tokens\":" + (1 + random.nextInt(16));
    }

    private void chat() throws IOException, InterruptedException {
        HttpResponse<String> response = server.post(
                "/v1/chat/completions",
                TestServer.chat("hello " + random.nextInt(1000) + " " + "a ".repeat(random.nextInt(60)), fields()));
        check("chat", response, Set.of(200));
        // Blanks keep the connection of an answer that takes long.
        String body = response.body().stripLeading();
        boolean isWhole = body.startsWith("{") ? !body.contains("\"error\"") : body.endsWith("data: [DONE]\n\n");
        if (!isWhole) {
            counts.wrong("an answer without its end: " + body);
        }
    }

    /// The client goes after some bytes of the answer, or in the middle of its request.
    private void abandoned() throws IOException {
        String body = TestServer.chat("hello", ",\"stream\":true,\"ignore_eos\":true,\"max_tokens\":2000");
        try (RawClient client = new RawClient(server)) {
            if (random.nextInt(4) == 0) {
                client.head("/v1/chat/completions", body.length());
                client.send(body.substring(0, random.nextInt(body.length())));
            } else {
                client.post("/v1/chat/completions", body);
                client.readUntil(random.nextBoolean() ? "\r\n\r\n" : "\"delta\":{\"content\":");
            }
        }
        counts.cancelled();
    }

    private void question() throws IOException, InterruptedException {
        HttpResponse<String> response = server.post(
                "/v1/chat/completions",
                TestServer.chat(TestServer.QUESTION, ",\"max_tokens\":4,\"document\":\"" + document + "\""));
        check("question", response, Set.of(200, 404, 409));
        if (response.statusCode() == 200) {
            JsonNode usage = TestServer.json(response).path("usage");
            if (usage.path("prompt_tokens_details").path("cached_tokens").intValue() == 0) {
                counts.wrong("a document was read again: " + response.body());
            }
        }
    }

    private void documents() throws IOException, InterruptedException {
        String path = "/v1/documents/" + document;
        switch (random.nextInt(5)) {
            case 0, 1 ->
                check(
                        "create",
                        server.post(
                                "/v1/documents",
                                "{\"id\":\"" + document + "\",\"text\":"
                                        + JsonMapper.shared().writeValueAsString(TestServer.text(1 + random.nextInt(8)))
                                        + "}"),
                        Set.of(200, 409));
            case 2 -> check("save", server.post(path + "/save", ""), Set.of(200, 404, 409));
            case 3 ->
                check(
                        "load",
                        server.post("/v1/documents/load", "{\"id\":\"" + document + "\"}"),
                        Set.of(200, 404, 409));
            default -> check("delete", server.request("DELETE", path, "text/plain", ""), Set.of(200, 404));
        }
    }

    /// Deletes the document from memory and from the folder.
    void clean() throws IOException, InterruptedException {
        while (server.request("DELETE", "/v1/documents/" + document, "text/plain", "")
                        .statusCode()
                == 200) {
            counts.answered("delete", 200);
        }
    }

    private void check(String kind, HttpResponse<String> response, Set<Integer> expected) {
        counts.answered(kind, response.statusCode());
        if (!expected.contains(response.statusCode())) {
            counts.wrong(kind + " " + response.statusCode() + ": " + response.body());
        }
    }
}
