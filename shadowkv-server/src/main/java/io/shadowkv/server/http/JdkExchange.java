package io.shadowkv.server.http;

import com.sun.net.httpserver.HttpExchange;
import io.shadowkv.server.error.ApiException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// An exchange of the JDK's HTTP server.
final class JdkExchange implements Exchange {
    private static final int BUFFER = 1 << 16;
    /// Length argument of `sendResponseHeaders` for a body of unknown length, and for none.
    private static final long CHUNKED = 0;

    private static final long NO_BODY = -1;

    private final HttpExchange exchange;
    private final StringBuilder notes = new StringBuilder();
    private int status;

    JdkExchange(HttpExchange exchange) {
        this.exchange = exchange;
    }

    @Override
    public String method() {
        return exchange.getRequestMethod();
    }

    @Override
    public String path() {
        String path = exchange.getRequestURI().getRawPath();
        return path == null ? "" : path;
    }

    @Override
    public @Nullable String query(String name) {
        String query = exchange.getRequestURI().getRawQuery();
        for (String part : query == null ? new String[0] : query.split("&", -1)) {
            int equals = part.indexOf('=');
            String key = equals < 0 ? part : part.substring(0, equals);
            if (key.equals(name)) {
                return decoded(name, equals < 0 ? "" : part.substring(equals + 1));
            }
        }
        return null;
    }

    private static String decoded(String name, String value) {
        try {
            return URLDecoder.decode(value, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw ApiException.invalid(name, "the query's " + name + " is not decodable: " + e.getMessage());
        }
    }

    @Override
    public @Nullable String header(String name) {
        return exchange.getRequestHeaders().getFirst(name);
    }

    @Override
    public String remote() {
        return exchange.getRemoteAddress().getAddress().getHostAddress();
    }

    @Override
    public byte[] body(long limit) {
        try {
            InputStream in = exchange.getRequestBody();
            ByteArrayOutputStream body = new ByteArrayOutputStream();
            byte[] buffer = new byte[BUFFER];
            long total = statedLength() > 2 * limit ? statedLength() : 0;
            boolean isTooLarge = statedLength() > limit;
            // A body that is a little too large is read to its end, so that the client, which sends
            // before it reads, gets to see the answer. One that is much too large is not read.
            while (total <= 2 * limit) {
                int read = in.read(buffer);
                if (read < 0) {
                    break;
                }
                total += read;
                isTooLarge |= total > limit;
                if (!isTooLarge) {
                    body.write(buffer, 0, read);
                }
            }
            if (isTooLarge) {
                throw ApiException.refused(
                        413,
                        null,
                        "request_too_large",
                        "the request body has more than the %,d bytes that the server reads (--max-body)"
                                .formatted(limit));
            }
            return body.toByteArray();
        } catch (IOException e) {
            throw new ClientGoneException(e);
        }
    }

    private long statedLength() {
        String stated = header("Content-Length");
        try {
            return stated == null ? 0 : Long.parseLong(stated.strip());
        } catch (NumberFormatException e) {
            throw ApiException.invalid(null, "Content-Length is \"" + stated + "\"; expected a number of bytes");
        }
    }

    @Override
    public void respond(int code, Map<String, String> headers, byte[] body) {
        boolean isHead = method().equals("HEAD");
        try {
            start(code, headers, body.length == 0 || isHead ? NO_BODY : body.length);
            if (body.length > 0 && !isHead) {
                exchange.getResponseBody().write(body);
            }
            exchange.getResponseBody().close();
        } catch (IOException e) {
            throw new ClientGoneException(e);
        }
    }

    @Override
    public Outgoing open(int code, Map<String, String> headers) {
        try {
            start(code, headers, CHUNKED);
            OutputStream out = exchange.getResponseBody();
            return new JdkOutgoing(out);
        } catch (IOException e) {
            throw new ClientGoneException(e);
        }
    }

    private void start(int code, Map<String, String> headers, long length) throws IOException {
        headers.forEach((name, value) -> exchange.getResponseHeaders().set(name, value));
        status = code;
        exchange.sendResponseHeaders(code, length);
    }

    @Override
    public int status() {
        return status;
    }

    @Override
    public void note(String name, Object value) {
        notes.append(' ').append(name).append('=').append(value);
    }

    /// What was noted, for the access log.
    String notes() {
        return notes.toString();
    }

    private record JdkOutgoing(OutputStream out) implements Outgoing {
        @Override
        public void send(byte[] bytes) {
            try {
                out.write(bytes);
                out.flush();
            } catch (IOException e) {
                throw new ClientGoneException(e);
            }
        }

        @Override
        public void close() {
            try {
                out.close();
            } catch (IOException e) {
                throw new ClientGoneException(e);
            }
        }
    }
}
