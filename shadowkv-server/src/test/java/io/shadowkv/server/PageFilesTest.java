package io.shadowkv.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// The files of the page, before any browser sees them. The server has no model yet.
class PageFilesTest {
    private static final Pattern LINK = Pattern.compile("(?:src|href)=\"(/page/[^\"]+)\"|from '\\./([^']+)'");
    private static ApiServer server;
    private static HttpClient client;

    @BeforeAll
    static void start() {
        server = ApiServer.start(ServerOptions.DEFAULT.withPort(0), new ServerLog() {
            @Override
            public void access(String line) {}

            @Override
            public void defect(String request, Throwable cause) {
                throw new AssertionError(request, cause);
            }
        });
        client = HttpClient.newHttpClient();
    }

    @AfterAll
    static void stop() {
        server.close();
        client.close();
    }

    private static HttpResponse<String> get(String path, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(
                URI.create("http://127.0.0.1:" + server.address().getPort() + path));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    @Test
    void thePageAndAllThatItNamesAreThere() throws Exception {
        Deque<String> open = new ArrayDeque<>(Set.of("/"));
        Set<String> seen = new TreeSet<>();
        while (!open.isEmpty()) {
            String path = open.pop();
            if (seen.add(path)) {
                HttpResponse<String> response = get(path);
                assertThat(response.statusCode()).as(path).isEqualTo(200);
                Matcher links = LINK.matcher(response.body());
                while (links.find()) {
                    open.add(links.group(1) == null ? "/page/" + links.group(2) : links.group(1));
                }
            }
        }
        assertThat(seen).hasSizeGreaterThan(10).contains("/page/strip.js", "/page/style.css", "/page/icon.svg");
    }

    @Test
    void theBrowserIsToldWhatThePageMayDo() throws Exception {
        HttpResponse<String> page = get("/");
        assertThat(page.headers().firstValue("Content-Type")).hasValue("text/html; charset=utf-8");
        assertThat(page.headers().firstValue("Content-Security-Policy").orElseThrow())
                .startsWith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
                        + " img-src 'self' data:")
                .contains("frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'")
                .doesNotContain("unsafe");
        assertThat(page.headers().firstValue("X-Content-Type-Options")).hasValue("nosniff");
        assertThat(get("/page/app.js").headers().firstValue("Content-Type")).hasValue("text/javascript; charset=utf-8");
        assertThat(page.body()).doesNotContain("http://", "https://", " style=", "onclick");
    }

    @Test
    void aFileThatHasNotChangedIsNotSentAgain() throws Exception {
        String tag = get("/page/style.css").headers().firstValue("ETag").orElseThrow();
        HttpResponse<String> again = get("/page/style.css", "If-None-Match", tag);
        assertThat(again.statusCode()).isEqualTo(304);
        assertThat(again.body()).isEmpty();
        assertThat(get("/page/style.css", "If-None-Match", "\"other\"").statusCode())
                .isEqualTo(200);
    }

    @Test
    void thereIsNothingElse() throws Exception {
        for (String path : new String[] {"/page/package-info.class", "/page/..%2fApiServer.class", "/page/none.js"}) {
            HttpResponse<String> response = get(path);
            assertThat(response.statusCode()).as(path).isEqualTo(404);
            assertThat(response.body()).contains("unknown_url");
        }
    }

    @Test
    void theChartLibraryComesWithItsLicence() throws Exception {
        assertThat(get("/page/uPlot.license.txt").body()).startsWith("The MIT License (MIT)");
    }
}
