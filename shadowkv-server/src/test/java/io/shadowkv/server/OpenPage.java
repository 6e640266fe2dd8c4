package io.shadowkv.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.engine.EngineOptions;
import java.io.IOException;
import java.time.Duration;
import tools.jackson.databind.JsonNode;

/// A server with a small index, and the browser that shows its page; for the tests of one class.
///
/// @param server has no documents at the start of a test
record OpenPage(TestServer server, Browser browser) implements AutoCloseable {
    /// The page asks for no length of its answers.
    static final ServerLimits SHORT_ANSWERS = new ServerLimits(1 << 20, Duration.ofMinutes(30), 0, 1, 16);

    static OpenPage start(ServerOptions options, Browser browser) {
        TestServer server = TestServer.start(EngineOptions.DEFAULT.withCache(LiveTest.NARROW), options.withPort(0));
        return new OpenPage(server, browser);
    }

    /// Opens the page anew and waits until it is ready.
    void open() {
        browser.show(1000, false);
        browser.open(server.url() + "/");
        browser.awaitText("state", "Ready");
    }

    /// Deletes the documents, first from memory and then from the folder; the server must have had no defect.
    void deleteAll() throws IOException, InterruptedException {
        for (int round = 0; round < 2; round++) {
            for (JsonNode document :
                    TestServer.json(server.get("/v1/documents")).path("data")) {
                server.request("DELETE", "/v1/documents/" + document.path("id").stringValue(), "text/plain", "");
            }
        }
        assertThat(server.defects).isEmpty();
    }

    @Override
    public void close() {
        browser.clear();
        server.close();
    }
}
