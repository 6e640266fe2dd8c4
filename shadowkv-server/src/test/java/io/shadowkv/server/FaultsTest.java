package io.shadowkv.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.server.http.JdkHttp;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Clients that misbehave, and failures of the server itself. Each time others are answered.
class FaultsTest {
    private static final int IDLE = Integer.getInteger("shadowkv.idle.connections", 2000);
    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static void othersAreAnswered() throws Exception {
        HttpResponse<String> response =
                server.post("/v1/chat/completions", TestServer.chat("hello", ",\"max_tokens\":2"));
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    }

    /// Clients that ask for long answers and take almost nothing of them. Their sequences stop when
    /// the buffers in between are full.
    @Test
    void slowReadersDelayNobody() throws Exception {
        List<SlowReader> slow = new ArrayList<>();
        try {
            for (int i = 0; i < 4; i++) {
                slow.add(new SlowReader(server));
            }
            for (int i = 0; i < 5; i++) {
                for (SlowReader reader : slow) {
                    assertThat(reader.take()).isNotNegative();
                }
                othersAreAnswered();
                assertThat(server.get("/health/ready").statusCode()).isEqualTo(200);
            }
        } finally {
            for (SlowReader reader : slow) {
                reader.close();
            }
        }
        server.awaitIdle();
        othersAreAnswered();
    }

    @ParameterizedTest
    @CsvSource({"20000, 10", "1, 2000000", "300, 10000"})
    void aFloodOfHeadersIsRefused(int count, int length) throws Exception {
        String answer = flood(count, length);
        // The connection may be reset while the client still sends.
        assertThat(answer).doesNotContain("200 OK");
        if (!answer.isEmpty()) {
            assertThat(answer).startsWith("HTTP/1.1 4");
        }
        othersAreAnswered();
        assertThat(server.defects).isEmpty();
    }

    private static String flood(int count, int length) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", server.server.address().getPort())) {
            socket.setSoTimeout(240_000);
            try {
                OutputStream out = socket.getOutputStream();
                out.write("GET /health HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"
                        .getBytes(StandardCharsets.US_ASCII));
                for (int i = 0; i < count; i++) {
                    out.write(
                            ("X-Flood-" + i + ": " + "x".repeat(length) + "\r\n").getBytes(StandardCharsets.US_ASCII));
                }
                out.write("\r\n".getBytes(StandardCharsets.US_ASCII));
                out.flush();
            } catch (SocketException e) {
                // The server does not read on.
            }
            return answer(socket.getInputStream());
        }
    }

    private static String answer(InputStream in) {
        try {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return "";
        }
    }

    /// The server has a process of its own, because one process may not have enough file handles for
    /// both ends. `-Dshadowkv.idle.connections=10000` opens more.
    @Test
    void idleConnectionsDelayNobody(@TempDir Path folder) throws Exception {
        List<Socket> idle = new ArrayList<>();
        String chat = TestServer.chat("hello", ",\"max_tokens\":2");
        try (ServerProcess other = ServerProcess.start(folder)) {
            for (int i = 0; i < IDLE; i++) {
                idle.add(new Socket("127.0.0.1", other.port()));
            }
            assertThat(other.post("/v1/chat/completions", chat).statusCode()).isEqualTo(200);
            // Half of them begin a request and do not end it.
            for (Socket socket : idle.subList(0, IDLE / 2)) {
                socket.getOutputStream().write("GET /health HTT".getBytes(StandardCharsets.US_ASCII));
            }
            assertThat(other.post("/v1/chat/completions", chat).statusCode()).isEqualTo(200);
            // One of the others is still usable.
            Socket last = idle.getLast();
            last.setSoTimeout(240_000);
            last.getOutputStream()
                    .write("GET /health HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
                            .getBytes(StandardCharsets.US_ASCII));
            assertThat(answer(last.getInputStream())).startsWith("HTTP/1.1 200 OK");
            for (Socket socket : idle) {
                socket.close();
            }
            assertThat(other.post("/v1/chat/completions", chat).statusCode()).isEqualTo(200);
        } finally {
            for (Socket socket : idle) {
                socket.close();
            }
        }
    }

    /// The client says that it will send 10 GB, and waits for the answer.
    @Test
    void aBodyThatIsMuchTooLargeIsNotRead() throws Exception {
        try (RawClient client = new RawClient(server)) {
            client.head("/v1/chat/completions", 10_000_000_000L);
            assertThat(client.readUntil("request_too_large")).startsWith("HTTP/1.1 413");
        }
        othersAreAnswered();
        assertThat(server.defects).isEmpty();
    }

    /// The client does not say how much it sends.
    @Test
    void aBodyWithoutLengthIsLimited() throws Exception {
        try (TestServer own = TestServer.start(
                        options -> options.withLimits(new ServerLimits(1000, Duration.ofMinutes(1), 0, 1, 16)));
                RawClient client = new RawClient(own)) {
            client.send("POST /v1/chat/completions HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n");
            for (int i = 0; i < 3; i++) {
                client.send("3e8\r\n" + "x".repeat(1000) + "\r\n");
            }
            assertThat(client.readUntil("request_too_large")).startsWith("HTTP/1.1 413");
        }
    }

    /// What no code expects ends one exchange.
    @Test
    void aThreadThatDiesEndsOneExchange() throws Exception {
        BlockingQueue<String> log = new LinkedBlockingQueue<>();
        try (JdkHttp http = JdkHttp.start(
                        new InetSocketAddress("127.0.0.1", 0),
                        exchange -> {
                            if (exchange.path().equals("/die")) {
                                throw new AssertionError("on purpose");
                            }
                            exchange.respond(200, Map.of(), "alive".getBytes(StandardCharsets.UTF_8));
                        },
                        log::add);
                HttpClient client = HttpClient.newHttpClient()) {
            String url = "http://127.0.0.1:" + http.address().getPort();
            for (int i = 0; i < 20; i++) {
                HttpResponse<String> dead = client.send(
                        HttpRequest.newBuilder(URI.create(url + "/die")).build(), HttpResponse.BodyHandlers.ofString());
                assertThat(dead.statusCode()).isEqualTo(500);
                assertThat(log.poll(1, TimeUnit.MINUTES)).contains("GET /die 500", "failure=AssertionError");
                HttpResponse<String> alive = client.send(
                        HttpRequest.newBuilder(URI.create(url + "/live")).build(),
                        HttpResponse.BodyHandlers.ofString());
                assertThat(alive.body()).isEqualTo("alive");
                assertThat(log.poll(1, TimeUnit.MINUTES)).contains("GET /live 200");
            }
        }
    }
}
