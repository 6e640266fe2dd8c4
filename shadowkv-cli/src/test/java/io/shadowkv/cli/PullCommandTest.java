package io.shadowkv.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.shadowkv.Fixtures;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `pull` from a hub on the loopback interface; the hub client's own tests cover cuts, redirects and damaged
/// content.
class PullCommandTest {
    private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
    private static final String TOKEN = "a-token";
    private static final Path MODEL = Fixtures.needleModel();

    @TempDir
    Path temporary;

    private HttpServer hub;
    private Path cache;

    @BeforeEach
    void startHub() throws IOException {
        cache = temporary.resolve("hub");
        hub = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        hub.createContext("/", exchange -> {
            try (exchange) {
                answer(exchange);
            }
        });
        hub.start();
    }

    @AfterEach
    void stopHub() {
        hub.stop(0);
    }

    private void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        Path file = MODEL.resolve(path.substring(path.lastIndexOf('/') + 1));
        if (!("Bearer " + TOKEN).equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
            exchange.getResponseHeaders().set("X-Error-Code", "RepoNotFound");
            exchange.sendResponseHeaders(401, -1);
        } else if (path.equals("/api/models/acme/needle/revision/main")) {
            byte[] body = ("{\"sha\":\"" + COMMIT + "\",\"siblings\":["
                            + files().stream()
                                    .map(name -> "{\"rfilename\":\"" + name + "\"}")
                                    .collect(Collectors.joining(","))
                            + "]}")
                    .getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
        } else if (path.startsWith("/acme/needle/resolve/" + COMMIT + "/") && Files.isRegularFile(file)) {
            exchange.getResponseHeaders().set("X-Repo-Commit", COMMIT);
            exchange.getResponseHeaders().set("ETag", '"' + etag(file) + '"');
            boolean isHead = exchange.getRequestMethod().equals("HEAD");
            if (isHead) {
                exchange.getResponseHeaders().set("Content-Length", Long.toString(Files.size(file)));
            }
            exchange.sendResponseHeaders(200, isHead ? -1 : Files.size(file));
            if (!isHead) {
                Files.copy(file, exchange.getResponseBody());
            }
        } else {
            exchange.getResponseHeaders().set("X-Error-Code", "RepoNotFound");
            exchange.sendResponseHeaders(404, -1);
        }
    }

    private static List<String> files() {
        return Shell.names(MODEL).stream()
                .filter(name -> Files.isRegularFile(MODEL.resolve(name)))
                .toList();
    }

    private static String etag(Path file) throws IOException {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private Shell shell() {
        return new Shell()
                .with("HF_ENDPOINT", "http://127.0.0.1:" + hub.getAddress().getPort())
                .with("HF_TOKEN", TOKEN)
                .with("HF_HUB_CACHE", cache.toString());
    }

    @Test
    void fetchesAModelThatThenHasItsName() {
        Shell.Result result = shell().run("pull", "acme/needle", "--progress").succeeded();
        Path folder = Path.of(result.out().strip());
        assertThat(folder).isEqualTo(cache.resolve("models--acme--needle/snapshots/" + COMMIT));
        assertThat(Shell.names(folder)).contains("config.json", "tokenizer.json", "model-00001-of-00002.safetensors");
        assertThat(result.err()).contains("model-00001-of-00002.safetensors: 100 %", "10.5 MiB of 10.5 MiB");
        assertThat(shell().run("tokenize", "acme/needle", "hello", "--ids")
                        .succeeded()
                        .out())
                .startsWith("[");
        assertThat(shell().run("pull", "acme/needle").succeeded().out()).isEqualTo(result.out());
    }

    @Test
    void takesTheCacheFolderFromOptionsAndEnvironment() {
        Path other = temporary.resolve("other");
        assertThat(shell().run("pull", "acme/needle", "--cache-dir", other)
                        .succeeded()
                        .out())
                .startsWith(other.toString());
        Path home = temporary.resolve("home");
        assertThat(shell().with("HF_HUB_CACHE", "")
                        .with("HF_HOME", home.toString())
                        .run("pull", "acme/needle")
                        .succeeded()
                        .out())
                .startsWith(home.resolve("hub").toString());
    }

    @Test
    void saysWhyTheHubRefuses() {
        shell().run("pull", "acme/other").refused(1, "acme/other");
        shell().with("HF_TOKEN", "").run("pull", "acme/needle").refused(1, "acme/needle", "HF_TOKEN");
        shell().with("HF_ENDPOINT", "ftp://x").run("pull", "acme/needle").refused(2, "is no address of a server");
    }

    @Test
    void stopsWhenInterruptedAndGoesOnLater() {
        shell().cancelled().run("pull", "acme/needle").refused(1, "interrupted; what was fetched is kept");
        shell().run("tokenize", "acme/needle", "hello").refused(1, "run `shadowkv pull acme/needle` first");
        shell().run("pull", "acme/needle").succeeded();
    }
}
