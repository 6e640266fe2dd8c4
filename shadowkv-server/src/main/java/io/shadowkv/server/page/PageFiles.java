package io.shadowkv.server.page;

import io.shadowkv.server.endpoint.Endpoint;
import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.http.Exchange;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// `GET /` and `GET /page/{file}`: the page and its files, which everybody may read. They contain
/// nothing of the model. Browsers ask each time whether a file has changed.
public final class PageFiles implements Endpoint {
    private static final String INDEX = "index.html";
    private static final String FOLDER = "/page/";
    private static final List<String> NAMES = List.of(
            INDEX,
            "style.css",
            "icon.svg",
            "app.js",
            "api.js",
            "answers.js",
            "charts.js",
            "documents.js",
            "example.js",
            "format.js",
            "live.js",
            "strip.js",
            "uPlot.iife.min.js",
            "uPlot.min.css",
            "uPlot.license.txt");

    /// Nothing is loaded from elsewhere, and no other site may show the page in a frame.
    private static final Map<String, String> HEADERS = Map.of(
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;"
                    + " base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            "X-Content-Type-Options",
            "nosniff",
            "Referrer-Policy",
            "no-referrer",
            "Cross-Origin-Opener-Policy",
            "same-origin",
            "Cache-Control",
            "no-cache");

    private static final int NOT_MODIFIED = 304;

    private final Map<String, PageFile> files = new LinkedHashMap<>();

    /// @param bytes not copied
    private record PageFile(byte[] bytes, Map<String, String> headers) {
        String tag() {
            return headers.getOrDefault("ETag", "");
        }
    }

    /// Reads all files.
    public PageFiles() {
        for (String name : NAMES) {
            byte[] bytes = read(name);
            Map<String, String> headers = new LinkedHashMap<>(HEADERS);
            headers.put("Content-Type", type(name));
            headers.put("ETag", tag(bytes));
            files.put(name, new PageFile(bytes, Map.copyOf(headers)));
        }
    }

    private static byte[] read(String name) {
        try (InputStream in = PageFiles.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("the server's jar has no file \"" + name + "\" of the page");
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String type(String name) {
        return switch (name.substring(name.lastIndexOf('.') + 1)) {
            case "html" -> "text/html; charset=utf-8";
            case "css" -> "text/css; charset=utf-8";
            case "js" -> "text/javascript; charset=utf-8";
            case "svg" -> "image/svg+xml";
            default -> "text/plain; charset=utf-8";
        };
    }

    private static String tag(byte[] bytes) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
            return '"' + HexFormat.of().formatHex(digest, 0, 12) + '"';
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void answer(Exchange exchange) {
        String path = exchange.path();
        String name = path.equals("/") ? INDEX : path.substring(FOLDER.length());
        PageFile file = files.get(name);
        if (file == null) {
            throw ApiException.refused(404, null, "unknown_url", "the page has no file \"" + name + "\"");
        }
        if (holds(exchange.header("If-None-Match"), file.tag())) {
            exchange.respond(NOT_MODIFIED, file.headers(), new byte[0]);
        } else {
            exchange.respond(200, file.headers(), file.bytes());
        }
    }

    private static boolean holds(@Nullable String known, String tag) {
        return known != null && known.contains(tag);
    }
}
