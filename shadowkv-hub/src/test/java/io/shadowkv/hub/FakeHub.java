package io.shadowkv.hub;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Deque;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// A hub on the loopback interface that behaves like the public one: the API, `X-Linked-*` headers,
/// large files on a second server (the content host) behind a redirect, ranges. It can also fail on
/// demand.
final class FakeHub implements AutoCloseable {
    static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
    static final String REPO = "acme/tiny";
    /// The former name of the dataset; the hub redirects it.
    static final String FORMER = "acme/former";

    /// One request as received by a server.
    record Seen(
            String server,
            String method,
            String path,
            @Nullable String range,
            @Nullable String authorization,
            @Nullable String proxyAuthorization) {}

    /// A fault in the next response with a file's content: send `bytes` of it and cut the
    /// connection, or wait for a signal and continue.
    interface Fault {
        void answer(HttpExchange exchange, byte[] content, int from) throws IOException;
    }

    final Map<String, byte[]> files = new LinkedHashMap<>();
    final List<Seen> seen = new CopyOnWriteArrayList<>();
    /// Statuses to answer with at first, by path suffix.
    final Map<String, Deque<Integer>> statuses = new ConcurrentHashMap<>();
    /// Headers of these answers.
    final Map<String, String> statusHeaders = new ConcurrentHashMap<>();
    /// Content types to declare, by method and file.
    final Map<String, String> contentTypes = new ConcurrentHashMap<>();
    /// Faults to produce at first, by file.
    final Map<String, Deque<Fault>> faults = new ConcurrentHashMap<>();
    final Map<String, String> etags = new ConcurrentHashMap<>();
    volatile String extraSiblings = "";
    volatile @Nullable String requiredToken;
    volatile boolean ignoresRanges;
    volatile @Nullable String apiAnswer;

    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final HttpServer hub = start(this::answerHub);
    private final HttpServer contentHost = start(this::answerContent);

    /// Access without a proxy, with a token.
    static HubAccess access(FakeHub hub, String token) {
        return new HubAccess(hub.endpoint(), HubToken.of(token, "HF_TOKEN").orElseThrow(), HubProxies.none(), false);
    }

    URI endpoint() {
        return URI.create("http://127.0.0.1:" + hub.getAddress().getPort());
    }

    /// The address of a file on the content host, which sends no ETag.
    URI address(String file) {
        return URI.create("http://127.0.0.1:" + contentHost.getAddress().getPort() + "/signed/" + file);
    }

    List<Seen> seen(String server, String method) {
        return seen.stream()
                .filter(s -> s.server().equals(server) && s.method().equals(method))
                .toList();
    }

    void fail(String pathEnd, int... codes) {
        Deque<Integer> queue = statuses.computeIfAbsent(pathEnd, k -> new ConcurrentLinkedDeque<>());
        for (int code : codes) {
            queue.add(code);
        }
    }

    void fault(String file, Fault fault) {
        faults.computeIfAbsent(file, k -> new ConcurrentLinkedDeque<>()).add(fault);
    }

    /// Announces the full length, sends `bytes` bytes and closes the connection.
    static Fault cutAfter(int bytes) {
        return (exchange, content, from) -> {
            begin(exchange, content, from);
            OutputStream out = exchange.getResponseBody();
            out.write(content, from, bytes);
            out.flush();
        };
    }

    static void begin(HttpExchange exchange, byte[] content, int from) throws IOException {
        if (from > 0) {
            exchange.getResponseHeaders()
                    .set("Content-Range", "bytes " + from + "-" + (content.length - 1) + "/" + content.length);
        }
        exchange.sendResponseHeaders(from > 0 ? 206 : 200, content.length - from == 0 ? -1 : content.length - from);
    }

    private HttpServer start(com.sun.net.httpserver.HttpHandler handler) {
        try {
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), 0);
            server.setExecutor(threads);
            server.createContext("/", exchange -> {
                try (exchange) {
                    handler.handle(exchange);
                }
            });
            server.start();
            return server;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void answerHub(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        record(exchange, "hub", path);
        for (Map.Entry<String, Deque<Integer>> entry : statuses.entrySet()) {
            Integer status = path.endsWith(entry.getKey()) ? entry.getValue().poll() : null;
            if (status != null) {
                statusHeaders.forEach(exchange.getResponseHeaders()::set);
                exchange.sendResponseHeaders(status, -1);
                return;
            }
        }
        if (path.contains("/datasets/" + FORMER)) {
            exchange.getResponseHeaders().set("Location", path.replace(FORMER, REPO));
            exchange.sendResponseHeaders(307, -1);
            return;
        }
        String kind = path.startsWith("/datasets/") ? "/datasets/" : "/";
        String prefix = kind + REPO + "/resolve/" + COMMIT + "/";
        if (path.matches("/api/(models|datasets)/" + REPO + "/revision/.*")) {
            answerApi(exchange, path.substring(path.lastIndexOf('/') + 1));
        } else if (path.startsWith(prefix) && files.containsKey(path.substring(prefix.length()))) {
            answerFile(exchange, path.substring(prefix.length()));
        } else {
            boolean api = path.startsWith("/api/");
            exchange.getResponseHeaders().set("X-Error-Code", api ? "RepoNotFound" : "EntryNotFound");
            exchange.sendResponseHeaders(api ? 401 : 404, -1);
        }
    }

    private void answerApi(HttpExchange exchange, String revision) throws IOException {
        if (!revision.equals("main") && !revision.equals(COMMIT)) {
            exchange.getResponseHeaders().set("X-Error-Code", "RevisionNotFound");
            exchange.sendResponseHeaders(404, -1);
            return;
        }
        String siblings = files.keySet().stream()
                .map(name -> "{\"rfilename\":\"" + name + "\"}")
                .collect(Collectors.joining(","));
        String whole = "{\"id\":\"" + REPO + "\",\"sha\":\"" + COMMIT + "\",\"gated\":false,\"siblings\":[" + siblings
                + extraSiblings + "]}";
        byte[] answer = java.util.Objects.requireNonNullElse(apiAnswer, whole).getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(200, answer.length);
        exchange.getResponseBody().write(answer);
    }

    private void answerFile(HttpExchange exchange, String file) throws IOException {
        Headers headers = exchange.getResponseHeaders();
        String token = requiredToken;
        if (token != null
                && !("Bearer " + token).equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
            headers.set("X-Error-Code", "GatedRepo");
            exchange.sendResponseHeaders(401, -1);
            return;
        }
        headers.set("X-Repo-Commit", COMMIT);
        if (isLarge(file)) {
            headers.set("X-Linked-Etag", '"' + etag(file) + '"');
            headers.set("X-Linked-Size", Integer.toString(content(file).length));
            headers.set("ETag", "\"of-the-redirect\"");
            headers.set(
                    "Location",
                    "http://127.0.0.1:" + contentHost.getAddress().getPort() + "/signed/" + file + "?key=1");
            exchange.sendResponseHeaders(302, -1);
            return;
        }
        headers.set("ETag", "W/\"" + etag(file) + '"');
        send(exchange, file);
    }

    private void answerContent(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        record(exchange, "content", path);
        String file = path.substring("/signed/".length());
        if (!files.containsKey(file)) {
            exchange.sendResponseHeaders(404, -1);
            return;
        }
        send(exchange, file);
    }

    private void send(HttpExchange exchange, String file) throws IOException {
        byte[] content = content(file);
        String type = contentTypes.get(exchange.getRequestMethod() + " " + file);
        if (type != null) {
            exchange.getResponseHeaders().set("Content-Type", type);
        }
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.getResponseHeaders().set("Content-Length", Integer.toString(content.length));
            exchange.sendResponseHeaders(200, -1);
            return;
        }
        String range = exchange.getRequestHeaders().getFirst("Range");
        int from = range == null || ignoresRanges ? 0 : Integer.parseInt(range.replaceAll("bytes=(\\d+)-", "$1"));
        Deque<Fault> planned = faults.get(file);
        Fault fault = planned == null ? null : planned.poll();
        if (fault != null) {
            fault.answer(exchange, content, from);
            return;
        }
        begin(exchange, content, from);
        exchange.getResponseBody().write(content, from, content.length - from);
    }

    private void record(HttpExchange exchange, String server, String path) {
        Headers headers = exchange.getRequestHeaders();
        seen.add(new Seen(
                server,
                exchange.getRequestMethod(),
                path,
                headers.getFirst("Range"),
                headers.getFirst("Authorization"),
                headers.getFirst("Proxy-Authorization")));
    }

    private byte[] content(String file) {
        return java.util.Objects.requireNonNull(files.get(file));
    }

    static boolean isLarge(String file) {
        return file.endsWith(".safetensors") || file.endsWith(".zip");
    }

    /// The checksum as the public hub gives it: SHA-256 for large files, git's blob SHA-1 for small
    /// ones.
    String etag(String file) {
        String forced = etags.get(file);
        if (forced != null) {
            return forced;
        }
        try {
            byte[] content = content(file);
            MessageDigest digest = MessageDigest.getInstance(isLarge(file) ? "SHA-256" : "SHA-1");
            if (!isLarge(file)) {
                digest.update(("blob " + content.length).getBytes(StandardCharsets.US_ASCII));
                digest.update((byte) 0);
            }
            return HexFormat.of().formatHex(digest.digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        hub.stop(0);
        contentHost.stop(0);
        threads.shutdownNow();
    }
}
