package io.shadowkv.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Pages of other sites cannot use a local server through a user's browser.
class OriginTest {
    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static HttpResponse<String> tokenize(String... headers) throws IOException, InterruptedException {
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(server.url() + "/tokenize"))
                    .header("Content-Type", "text/plain")
                    .POST(HttpRequest.BodyPublishers.ofString("{\"content\":\"dawn\"}"));
            return client.send(request.headers(headers).build(), HttpResponse.BodyHandlers.ofString());
        }
    }

    @Test
    void aPageOfAnotherSiteIsRefused() throws IOException, InterruptedException {
        for (String origin : new String[] {"https://example.com", "null", "http://127.0.0.1:1"}) {
            HttpResponse<String> response = tokenize("Origin", origin);
            assertThat(response.statusCode()).as(origin).isEqualTo(403);
            assertThat(response.body()).contains("origin_not_allowed").contains(origin);
        }
    }

    @Test
    void itsOwnPageAndOneBehindAProxyAreNot() throws IOException, InterruptedException {
        assertThat(tokenize("Origin", server.url()).statusCode()).isEqualTo(200);
        assertThat(tokenize("Origin", "https://llm.example.com", "X-Forwarded-Host", "llm.example.com")
                        .statusCode())
                .isEqualTo(200);
    }
}
