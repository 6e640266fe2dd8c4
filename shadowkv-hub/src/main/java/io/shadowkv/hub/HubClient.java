package io.shadowkv.hub;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// The HTTP interface of a hub: the files of a repository, facts about a file, and the content of a
/// file from a given byte on.
///
/// Follows redirects itself, because the token must be sent only to the endpoint, never to the
/// content host. Thread-safe.
final class HubClient {
    private static final int MAX_REDIRECTS = 8;

    private final String endpoint;
    private final URI origin;
    private final @Nullable HubToken token;
    private final HubProxies proxies;
    private final HubPolicy policy;
    private final boolean isHub;
    private final HttpClient client;

    /// @param commit the current commit of the revision
    record Repository(String commit, List<String> files) {}

    /// Content that can be requested.
    ///
    /// @param owner the repository, or the host of an address outside a hub
    /// @param file its name in messages
    /// @param commit the commit that a hub must answer with; null outside a hub
    record Content(
            URI uri, String owner, String file, @Nullable String commit) {}

    /// @param etag identifies the content: SHA-256 in hex for large files, git's blob SHA-1 for
    ///     small ones
    record Facts(String etag, long bytes) {}

    HubClient(HubAccess access, HubPolicy policy) {
        this(access, policy, true);
    }

    /// A client for one address outside a hub: without a token, and with redirects to any host.
    static HubClient plain(URI address, HubProxies proxies, HubPolicy policy) {
        return new HubClient(new HubAccess(address, null, proxies, false), policy, false);
    }

    private HubClient(HubAccess access, HubPolicy policy, boolean isHub) {
        this.isHub = isHub;
        String text = access.endpoint().toString();
        this.endpoint = text.endsWith("/") ? text.substring(0, text.length() - 1) : text;
        this.origin = access.endpoint();
        this.token = access.token();
        this.proxies = access.proxies();
        this.policy = policy;
        // HTTP/1.1: a pull reads one long body at a time, which is slower with HTTP/2's flow
        // control.
        HttpClient.Builder builder = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(policy.answerLimit());
        if (!proxies.isEmpty()) {
            builder.proxy(proxies.selector());
        }
        this.client = builder.build();
    }

    /// @throws HubException if the hub refuses or cannot be reached
    Repository repository(HubRepository repo, String revision, PullListener listener) throws InterruptedException {
        URI uri = URI.create(endpoint + repo.apiPath() + "/revision/" + encode(revision));
        JsonNode root = retrying(uri, listener, () -> {
            HttpResponse<HubBody> response = send("GET", uri, 0);
            try (HubBody body = response.body()) {
                check(response, repo.name(), "revision " + revision);
                byte[] answer = body.readAll(HubJson.MAX_BYTES);
                if (HubErrors.isPage(response) || HubErrors.isPage(answer)) {
                    throw HubErrors.page("answer of " + uri);
                }
                return HubJson.object("answer of " + uri, answer);
            }
        });
        String commit = root.path("sha").stringValue("");
        if (!HubNames.isCommit(commit)) {
            throw new HubException("answer of " + uri + ": \"sha\" is " + HubJson.describe(root.path("sha"))
                    + "; expected a commit such as 40 hex digits. HF_ENDPOINT must name a Hugging Face hub");
        }
        List<String> files = new ArrayList<>();
        for (JsonNode sibling : root.path("siblings")) {
            files.add(sibling.path("rfilename").stringValue(""));
        }
        return new Repository(commit, files);
    }

    /// @throws HubException if the hub refuses, cannot be reached, or does not send the headers
    ///     that a safe download needs
    Facts facts(Content content, PullListener listener) throws InterruptedException {
        String label = content.owner() + "/" + content.file();
        HttpResponse<HubBody> response = head(content, listener);
        if (response.statusCode() == 200 && HubErrors.isPage(response)) {
            throw HubErrors.page(label);
        }
        Optional<String> answered = response.headers().firstValue("X-Repo-Commit");
        if (answered.isPresent() && !answered.get().equals(content.commit())) {
            throw new HubException(label + ": asked for commit " + content.commit() + ", the server answered with "
                    + HubJson.shorten(answered.get()) + ". Try again, or use another HF_ENDPOINT");
        }
        String etag = response.headers()
                .firstValue("X-Linked-Etag")
                .or(() -> response.headers().firstValue("ETag"))
                .map(HubClient::unquote)
                .orElse("");
        // The response to a redirect has its own length, not that of the file.
        OptionalLong length = response.headers().firstValueAsLong("X-Linked-Size");
        if (length.isEmpty() && response.statusCode() == 200) {
            length = response.headers().firstValueAsLong("Content-Length");
        }
        if (!HubNames.isEtag(etag) || length.isEmpty() || length.getAsLong() < 0) {
            throw new HubException(label + ": the server sent ETag \"" + HubJson.shorten(etag) + "\" and length "
                    + length + "; a checksum and a length are needed. HF_ENDPOINT must name a hub");
        }
        return new Facts(etag, length.getAsLong());
    }

    /// Length of the content of an address outside a hub, and a name for its current version. The
    /// ETag of such a server need not be a checksum.
    ///
    /// @throws HubException if the server refuses, cannot be reached, or gives no length
    Facts plainFacts(Content content, PullListener listener) throws InterruptedException {
        HttpResponse<HubBody> response = head(content, listener);
        long bytes = response.headers().firstValueAsLong("Content-Length").orElse(-1);
        if (response.statusCode() != 200 || bytes < 0) {
            throw new HubException(HubErrors.shown(content.uri()) + ": the server sends no length (status "
                    + response.statusCode() + "), so a truncated file could not be detected. Download it"
                    + " with another program and give the file instead");
        }
        String version = content.uri() + " " + bytes + " "
                + response.headers().firstValue("ETag").orElse("") + " "
                + response.headers().firstValue("Last-Modified").orElse("");
        return new Facts("plain-" + UUID.nameUUIDFromBytes(version.getBytes(StandardCharsets.UTF_8)), bytes);
    }

    private HttpResponse<HubBody> head(Content content, PullListener listener) throws InterruptedException {
        return retrying(content.uri(), listener, () -> {
            HttpResponse<HubBody> head = send("HEAD", content.uri(), 0);
            head.body().close();
            if (head.statusCode() / 100 != 3) {
                check(head, content.owner(), content.file());
            }
            return head;
        });
    }

    /// The content of a file from byte `from` on; the status is 200, 206 or, if `from` is not 0,
    /// 416.
    ///
    /// @throws HubErrors.TransientException or IOException if a later attempt may succeed
    HttpResponse<HubBody> open(Content content, long from) throws IOException, InterruptedException {
        HttpResponse<HubBody> response = send("GET", content.uri(), from);
        try {
            if (from == 0 || response.statusCode() != 416) {
                check(response, content.owner(), content.file());
            }
            // Servers outside a hub use this type for any file; there the reader of the file checks
            // how it begins.
            if (isHub && HubErrors.isPage(response)) {
                throw HubErrors.page(content.owner() + "/" + content.file());
            }
        } catch (IOException | RuntimeException e) {
            response.body().close();
            throw e;
        }
        return response;
    }

    HubPolicy policy() {
        return policy;
    }

    HubProxies proxies() {
        return proxies;
    }

    /// Host and port for messages.
    String host() {
        return String.valueOf(origin.getRawAuthority()).replaceFirst("^.*@", "");
    }

    private HttpResponse<HubBody> send(String method, URI first, long from) throws IOException, InterruptedException {
        URI uri = first;
        for (int hop = 0; hop <= MAX_REDIRECTS; hop++) {
            HttpRequest.Builder request = HttpRequest.newBuilder(uri)
                    .method(method, HttpRequest.BodyPublishers.noBody())
                    .timeout(policy.answerLimit())
                    .header("User-Agent", "shadowkv")
                    .header("Accept-Encoding", "identity");
            if (token != null && isEndpoint(uri)) {
                request.header("Authorization", "Bearer " + token.value());
            }
            proxies.serverFor(uri)
                    .map(HubProxies.Server::authorization)
                    .ifPresent(authorization -> request.header("Proxy-Authorization", authorization));
            if (from > 0) {
                request.header("Range", "bytes=" + from + "-");
            }
            HttpResponse<HubBody> response = client.send(request.build(), _ -> new HubBody(policy.stallLimit()));
            Optional<String> location = response.headers().firstValue("Location");
            if (response.statusCode() / 100 != 3 || location.isEmpty()) {
                return response;
            }
            URI next = target(uri, location.get());
            boolean linked = response.headers().firstValue("X-Linked-Etag").isPresent();
            if (isHub && method.equals("HEAD") && (linked || !isEndpoint(next))) {
                return response;
            }
            response.body().close();
            uri = next;
        }
        throw new HubException(
                HubErrors.shown(first) + ": more than " + MAX_REDIRECTS + " redirects. Check " + setting());
    }

    private URI target(URI from, String location) {
        URI next;
        try {
            next = from.resolve(location);
        } catch (IllegalArgumentException e) {
            throw new HubException(
                    HubErrors.shown(from) + ": redirects to \"" + HubJson.shorten(location)
                            + "\", which is not an address",
                    e);
        }
        boolean http = "https".equals(next.getScheme())
                || "http".equals(next.getScheme()) && !"https".equals(origin.getScheme());
        if (!http || next.getHost() == null) {
            throw new HubException(HubErrors.shown(from) + ": redirects to \"" + HubErrors.shown(next) + "\"; only "
                    + (origin.getScheme().equals("https") ? "https" : "http and https") + " is followed");
        }
        return next;
    }

    private boolean isEndpoint(URI uri) {
        return origin.getScheme().equalsIgnoreCase(uri.getScheme())
                && origin.getHost().equalsIgnoreCase(uri.getHost())
                && port(origin) == port(uri);
    }

    private static int port(URI uri) {
        return uri.getPort() >= 0 ? uri.getPort() : "https".equalsIgnoreCase(uri.getScheme()) ? 443 : 80;
    }

    /// The address of a file on the hub.
    Content content(HubRepository repo, String commit, String file) {
        // Slashes are not encoded: the hub's addresses have folders.
        String path = encode(file).replace("%2F", "/");
        URI uri = URI.create(endpoint + repo.contentPath() + "/resolve/" + commit + "/" + path);
        return new Content(uri, repo.name(), file, commit);
    }

    /// The setting to check if a server cannot be reached.
    String setting() {
        return isHub ? "HF_ENDPOINT" : "the address";
    }

    private void check(HttpResponse<?> response, String repo, String what) throws HubErrors.TransientException {
        if (isHub
                && !isEndpoint(response.uri())
                && response.statusCode() / 100 == 4
                && response.statusCode() != HttpURLConnection.HTTP_PROXY_AUTH) {
            // The content host knows no accounts: its signed address has expired or is damaged, and
            // a new one may work.
            throw new HubErrors.TransientException(
                    response.uri().getHost() + " answered " + response.statusCode() + " for " + what, Duration.ZERO);
        }
        int status = response.statusCode();
        if (!isHub && status / 100 == 4 && status != 407 && status != 408 && status != 429) {
            throw new HubException(HubErrors.shown(response.uri()) + ": the server refused (status " + status
                    + "). Check the address, or download it with another program and give the file instead");
        }
        HubErrors.check(response, repo, what, token);
    }

    private interface Attempt<T> {
        T run() throws IOException, InterruptedException;
    }

    private <T> T retrying(URI uri, PullListener listener, Attempt<T> attempt) throws InterruptedException {
        for (int failures = 1; ; failures++) {
            try {
                return attempt.run();
            } catch (IOException e) {
                HubErrors.checkInterrupted(e);
                if (failures >= policy.attempts()) {
                    throw HubErrors.unreachable(this, uri, HubErrors.shown(uri), failures, e);
                }
                listener.note(HubErrors.reason(e) + "; trying again");
                policy.pause(failures, HubErrors.asked(e));
            }
        }
    }

    private static String unquote(String etag) {
        String text = etag.startsWith("W/") ? etag.substring(2) : etag;
        return text.replace("\"", "").strip();
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
