package io.shadowkv.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import javax.management.ObjectName;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Clients that close their connection before the answer has ended.
class VanishingClientTest {
    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @BeforeEach
    void forget() throws InterruptedException {
        server.awaitIdle();
        server.access.clear();
    }

    /// A prompt of about 28,000 tokens takes many pings to read.
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whileThePromptIsRead(boolean streams) throws Exception {
        double aborted = server.metric("vllm:request_success_total{finished_reason=\"abort\"");
        long tokens = server.server.generatedTokens();
        try (RawClient client = new RawClient(server)) {
            client.post(
                    "/v1/chat/completions",
                    TestServer.chat(TestServer.question(480), ",\"stream\":" + streams + ",\"max_tokens\":100"));
            client.readUntil(streams ? "\"role\":\"assistant\"" : "\r\n\r\n");
        }
        assertThat(server.logged("/v1/chat/completions")).contains("client_gone=true");
        server.awaitIdle();
        assertThat(server.server.generatedTokens())
                .as("tokens that nobody reads")
                .isEqualTo(tokens);
        // The request is counted on a thread of its own, after the engine is idle.
        String metric = "vllm:request_success_total{finished_reason=\"abort\"";
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(4);
        while (server.metric(metric) < aborted + 1 && System.nanoTime() < end) {
            Thread.sleep(10);
        }
        assertThat(server.metric(metric)).isEqualTo(aborted + 1);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void whileTokensAreGenerated(int choices) throws Exception {
        long before = server.server.generatedTokens();
        int asked = 20_000;
        try (RawClient client = new RawClient(server)) {
            client.post(
                    "/v1/chat/completions",
                    TestServer.chat(
                            "hello",
                            ",\"stream\":true,\"ignore_eos\":true,\"n\":" + choices + ",\"max_tokens\":" + asked));
            client.readUntil("\"delta\":{\"content\":");
        }
        assertThat(server.logged("/v1/chat/completions")).contains("client_gone=true");
        server.awaitIdle();
        assertThat(server.server.generatedTokens() - before).isLessThan((long) asked * choices / 2);
    }

    @Test
    void afterHalfARequest() throws Exception {
        try (RawClient client = new RawClient(server)) {
            client.head("/v1/chat/completions", 1000);
            client.send("{\"messages\":");
            client.endOutput();
            assertThat(client.readAll()).isEmpty();
            assertThat(server.logged("/v1/chat/completions 0")).contains("client_gone=true");
        }
        try (RawClient client = new RawClient(server)) {
            client.head("/v1/chat/completions", 1000);
            client.send("{\"messages\":");
        }
        try (RawClient client = new RawClient(server)) {
            client.send("POST /v1/chat/comp");
        }
        assertThat(server.post("/v1/completions", "{\"prompt\":\"x\",\"max_tokens\":1}")
                        .statusCode())
                .isEqualTo(200);
        assertThat(server.defects).isEmpty();
    }

    /// A connection that ends in the middle of a request costs nothing afterwards.
    @Test
    void halfRequestsLeaveNothing() throws Exception {
        int count = 200;
        long before = connections();
        for (int i = 0; i < count; i++) {
            try (RawClient client = new RawClient(server)) {
                client.head("/v1/chat/completions", 1000);
                client.send("{\"messages\":");
            }
            assertThat(server.logged("/v1/chat/completions 0")).contains("client_gone=true");
        }
        // The server forgets the last ones after it has logged them.
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(4);
        while (connections() > before + count / 10) {
            assertThat(System.nanoTime())
                    .as("connections that stay: %d", connections())
                    .isLessThan(end);
        }
    }

    /// Connections of the JDK's server that are reachable in this JVM.
    private static long connections() throws Exception {
        Object histogram = ManagementFactory.getPlatformMBeanServer()
                .invoke(
                        new ObjectName("com.sun.management:type=DiagnosticCommand"),
                        "gcClassHistogram",
                        new Object[] {new String[0]},
                        new String[] {String[].class.getName()});
        return String.valueOf(histogram)
                .lines()
                .filter(line -> line.contains("sun.net.httpserver.HttpConnection "))
                .mapToLong(line -> Long.parseLong(line.strip().split("\\s+")[1]))
                .sum();
    }
}
