package io.shadowkv.cli;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// A hub on the loopback interface that serves folders as repositories to clients with the token,
/// and files below `/plain/` to all clients. The hub client's own tests use another one that
/// redirects and fails.
final class LoopbackHub implements AutoCloseable {
    static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
    static final String TOKEN = "a-token";

    private static final Pattern API = Pattern.compile("/api/(models|datasets)/([^/]+/[^/]+)/revision/main");
    private static final Pattern CONTENT = Pattern.compile("/(datasets/|)([^/]+/[^/]+)/resolve/" + COMMIT + "/(.+)");

    /// Folders by `models/ORG/NAME` or `datasets/ORG/NAME`; `plain` for files without a repository.
    final Map<String, Path> folders = new ConcurrentHashMap<>();
    /// Files whose next response ends after the given number of bytes.
    final Map<String, Integer> cuts = new ConcurrentHashMap<>();
    /// `METHOD path range` of each request.
    final List<String> seen = new CopyOnWriteArrayList<>();

    private final HttpServer server;

    LoopbackHub() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            try (exchange) {
                answer(exchange);
            }
        });
        server.start();
    }

    String endpoint() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    @Override
    public void close() {
        server.stop(0);
    }

    private void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        seen.add(exchange.getRequestMethod() + " " + path + " "
                + exchange.getRequestHeaders().getFirst("Range"));
        if (path.startsWith("/plain/")) {
            send(exchange, folders.get("plain").resolve(path.substring("/plain/".length())));
            return;
        }
        if (!("Bearer " + TOKEN).equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
            refuse(exchange, 401);
            return;
        }
        Matcher api = API.matcher(path);
        Matcher content = CONTENT.matcher(path);
        if (api.matches() && folders.containsKey(api.group(1) + "/" + api.group(2))) {
            list(exchange, folders.get(api.group(1) + "/" + api.group(2)));
        } else if (content.matches()) {
            String kind = content.group(1).isEmpty() ? "models/" : "datasets/";
            exchange.getResponseHeaders().set("X-Repo-Commit", COMMIT);
            send(exchange, folders.get(kind + content.group(2)).resolve(content.group(3)));
        } else {
            refuse(exchange, 404);
        }
    }

    private static void refuse(HttpExchange exchange, int status) throws IOException {
        exchange.getResponseHeaders().set("X-Error-Code", "RepoNotFound");
        exchange.sendResponseHeaders(status, -1);
    }

    private static void list(HttpExchange exchange, Path folder) throws IOException {
        String siblings;
        try (Stream<Path> files = Files.walk(folder)) {
            siblings = files.filter(Files::isRegularFile)
                    .map(file -> "{\"rfilename\":\"" + folder.relativize(file) + "\"}")
                    .collect(Collectors.joining(","));
        }
        byte[] body = ("{\"sha\":\"" + COMMIT + "\",\"siblings\":[" + siblings + "]}").getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(200, body.length);
        exchange.getResponseBody().write(body);
    }

    private void send(HttpExchange exchange, Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            refuse(exchange, 404);
            return;
        }
        byte[] body = Files.readAllBytes(file);
        exchange.getResponseHeaders().set("ETag", '"' + etag(body) + '"');
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.getResponseHeaders().set("Content-Length", Integer.toString(body.length));
            exchange.sendResponseHeaders(200, -1);
            return;
        }
        String range = exchange.getRequestHeaders().getFirst("Range");
        int from = range == null ? 0 : Integer.parseInt(range.replaceAll("\\D", ""));
        if (from > 0) {
            exchange.getResponseHeaders()
                    .set("Content-Range", "bytes " + from + "-" + (body.length - 1) + "/" + body.length);
        }
        exchange.sendResponseHeaders(from > 0 ? 206 : 200, body.length - from);
        Integer cut = cuts.remove(file.getFileName().toString());
        exchange.getResponseBody().write(Arrays.copyOfRange(body, from, cut == null ? body.length : cut));
        exchange.getResponseBody().flush();
    }

    private static String etag(byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
