package io.shadowkv.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.serve.Backends;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.op.BackendProvider.BackendOptions;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// What the page shows of a server that loads, asks for a key, shuts down, or is not there.
@BrowserTest
class PageStatesTest {
    private static Browser browser;

    @BeforeAll
    static void start(Browser shared) {
        browser = shared;
    }

    @AfterAll
    static void stop() {
        browser.clear();
    }

    private static final ServerLog SILENT = new ServerLog() {
        @Override
        public void access(String line) {}

        @Override
        public void defect(String request, Throwable cause) {}
    };

    @Test
    void theServerLoadsServesDrainsAndEnds() throws Exception {
        Backends.Choice backend = Backends.open("cpu", new BackendOptions(0, 0, null));
        try (ApiServer server = ApiServer.start(ServerOptions.DEFAULT.withPort(0), SILENT);
                Engine engine = Engine.open(Fixtures.needleModel(), backend.backend(), EngineOptions.DEFAULT)) {
            browser.open("http://127.0.0.1:" + server.address().getPort() + "/");
            browser.awaitText("state", "Loading the model");
            assertThat(browser.id("banner").getText()).contains("goes on by itself");
            server.serve(engine, List.of(TestServer.MODEL));
            browser.awaitText("state", "Ready");
            browser.awaitText("model", TestServer.MODEL);
            assertThat(browser.id("banner").isDisplayed()).isFalse();

            server.drain(Duration.ofMinutes(1));
            browser.await(
                    "the end is noticed", () -> browser.id("state").getText().equals("Offline"));
            assertThat(browser.id("banner").getText()).contains("does not answer");
            browser.id("question").sendKeys("A question");
            assertThat(browser.id("send").isEnabled()).isFalse();
        } finally {
            backend.backend().close();
        }
    }

    /// A running answer keeps the connection, so that the page shows what goes on.
    @Test
    void aServerThatShutsDownSaysSo() throws Exception {
        try (TestServer server = TestServer.start();
                RawClient client = new RawClient(server)) {
            browser.open(server.url() + "/");
            browser.awaitText("state", "Ready");
            client.post(
                    "/v1/chat/completions",
                    TestServer.chat("hello", ",\"stream\":true,\"ignore_eos\":true,\"max_tokens\":20000"));
            client.readUntil("\"role\":\"assistant\"");
            browser.awaitText("running", "1");
            Thread drain = Thread.ofVirtual().start(() -> {
                try {
                    server.server.drain(Duration.ofMinutes(4));
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            browser.awaitText("state", "Shutting down");
            assertThat(browser.id("banner").getText()).contains("further requests are refused");
            client.vanish();
            drain.join();
        }
    }

    @Test
    void aKeyIsAskedForAndKeptInTheTab() throws Exception {
        try (TestServer server = TestServer.start(
                options -> options.withApiKeys(List.of("secret")).withLimits(OpenPage.SHORT_ANSWERS))) {
            browser.open(server.url() + "/");
            browser.awaitText("state", "Key needed");
            browser.id("key-open").click();
            browser.id("key").sendKeys("wrong");
            browser.one("#key-form [type=submit]").click();
            server.logged("error=invalid_api_key");
            browser.awaitText("state", "Key needed");
            browser.id("key-open").click();
            browser.id("key").clear();
            browser.id("key").sendKeys("secret");
            browser.one("#key-form [type=submit]").click();
            browser.awaitText("state", "Ready");
            browser.id("question").sendKeys("The grass is green.");
            browser.id("send").click();
            browser.await(
                    "an answer",
                    () -> browser.all(".entry").size() == 1
                            && browser.all(".entry.busy").isEmpty());
            assertThat(browser.all(".entry .error")).isEmpty();
            browser.reload();
            browser.awaitText("state", "Ready");
            assertThat(browser.run("return Object.keys(localStorage).length + document.cookie.length"))
                    .isEqualTo(0L);
        }
    }
}
