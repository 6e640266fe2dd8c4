package io.shadowkv.hub;

import java.io.IOException;
import java.net.ConnectException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Turns responses of the hub and network failures into messages that say what to do.
final class HubErrors {
    private static final int NETWORK_LOGIN = 511;

    private HubErrors() {}

    /// Accepts the status 200 and 206.
    ///
    /// @param what the requested file or revision
    /// @param token the token that was sent; null for none
    /// @throws TransientException if a later attempt may succeed
    /// @throws HubException if no attempt can succeed
    static void check(HttpResponse<?> response, String repo, String what, @Nullable HubToken token)
            throws TransientException {
        int status = response.statusCode();
        if (status == 200 || status == 206) {
            return;
        }
        if (status == NETWORK_LOGIN) {
            throw page(shown(response.uri()));
        }
        if (status == HttpURLConnection.HTTP_PROXY_AUTH) {
            throw new HubException(
                    repo + ": the proxy requires a name and a password, or does not accept"
                            + " those given (status 407). Put them into its address, http://USER:PASSWORD@HOST:PORT, in HTTPS_PROXY or HTTP_PROXY");
        }
        if (status >= 500 || status == 408 || status == 429) {
            throw new TransientException(
                    response.uri().getHost() + " answered " + status + " for " + repo + " " + what,
                    retryAfter(response));
        }
        String code = response.headers()
                .firstValue("X-Error-Code")
                .filter(text -> text.matches("\\w{1,64}"))
                .orElse("");
        String words = words(response, token);
        throw new HubException(repo + ": the hub refused " + what + " (status " + status
                + (code.isEmpty() ? "" : ", " + code) + (words.isEmpty() ? ")" : "), saying \"" + words + "\"") + ". "
                + advice(status, code, !words.isEmpty(), token));
    }

    /// The server's error message, as one line of text.
    private static String words(HttpResponse<?> response, @Nullable HubToken token) {
        String words = response.headers().firstValue("X-Error-Message").orElse("");
        String hidden = token == null ? words : token.hiddenIn(words);
        return HubJson.shorten(hidden.replaceAll("\\p{Cntrl}+", " ").strip().replaceFirst("\\.$", ""));
    }

    private static String advice(int status, String code, boolean hasWords, @Nullable HubToken token) {
        if (code.equals("GatedRepo") || status == 403 && !hasWords) {
            return "The repository is gated: accept its terms on its page, "
                    + (token == null
                            ? "then set HF_TOKEN to a token of that account"
                            : "with the account of the token in " + token.source()
                                    + ", and give the token the permission to read gated repositories");
        }
        if (code.equals("RevisionNotFound")) {
            return "The repository has no such revision; give an existing branch, tag or commit";
        }
        if (status == 401) {
            return token == null
                    ? "The repository does not exist, or it is private: check its name, or set HF_TOKEN to a token that may"
                            + " read it"
                    : "The token in " + token.source()
                            + " is not accepted, or the repository does not exist; check both";
        }
        if (status == 404) {
            return "It does not exist on this server; check the name, and HF_ENDPOINT if it is set";
        }
        return token == null
                ? "Check the name, HF_ENDPOINT, and whether HF_TOKEN must be set"
                : "Check the name, HF_ENDPOINT, and the permissions of the token in " + token.source();
    }

    /// True if a server answers with an HTML page.
    static boolean isPage(HttpResponse<?> response) {
        String type = response.headers().firstValue("Content-Type").orElse("");
        return type.strip().toLowerCase(Locale.ROOT).startsWith("text/html");
    }

    /// True if the text of a response begins like an HTML page.
    static boolean isPage(byte[] answer) {
        String head = new String(answer, 0, Math.min(answer.length, 200), StandardCharsets.ISO_8859_1);
        return head.stripLeading().toLowerCase(Locale.ROOT).matches("(?s)<(?:!doctype html|html|head)\\b.*");
    }

    /// A program between this machine and the hub answered instead of the hub. The cause marks it
    /// as a network failure.
    static HubException page(String what) {
        return new HubException(
                what
                        + ": the response is an HTML page, not a hub's. This network may require a login in a browser, a proxy"
                        + " may answer instead of the hub, or HF_ENDPOINT names a server that is not a hub. Open any http address"
                        + " in a browser, check HTTPS_PROXY and HF_ENDPOINT, then pull again",
                new IOException("an HTML page instead of an answer"));
    }

    /// An address without parts that may be secret: user information, and the query of a signed
    /// address.
    static String shown(URI address) {
        String authority = String.valueOf(address.getRawAuthority()).replaceFirst("^.*@", "");
        return address.getRawAuthority() == null
                ? HubJson.shorten(address.toString())
                : HubJson.shorten(address.getScheme() + "://" + authority + address.getRawPath());
    }

    private static Duration retryAfter(HttpResponse<?> response) {
        try {
            long seconds = response.headers().firstValueAsLong("Retry-After").orElse(0);
            return Duration.ofSeconds(Math.clamp(seconds, 0, 3600));
        } catch (NumberFormatException e) {
            // The header may also contain a date; our own pause is used then.
            return Duration.ZERO;
        }
    }

    static Duration asked(IOException failure) {
        return failure instanceof TransientException transientFailure ? transientFailure.asked() : Duration.ZERO;
    }

    /// If the thread was interrupted, its blocked reads fail; reports that as an interruption, not
    /// a network failure.
    static void checkInterrupted(IOException failure) throws InterruptedException {
        if (Thread.interrupted() || failure.getCause() instanceof InterruptedException) {
            InterruptedException stopped = new InterruptedException("the pull was stopped; received data is kept");
            stopped.initCause(failure);
            throw stopped;
        }
    }

    /// @param address the requested address
    static HubException unreachable(HubClient client, URI address, String what, int failures, IOException cause) {
        String through = client.proxies()
                .serverFor(address)
                .map(proxy -> " through the proxy " + proxy)
                .orElse("");
        return new HubException(
                "cannot fetch " + what + " from " + client.host() + through + ": " + reason(cause) + ", after "
                        + failures
                        + " tries. Check the network"
                        + (through.isEmpty() ? "" : ", the variables HTTPS_PROXY, HTTP_PROXY and NO_PROXY,") + " and "
                        + client.setting() + ", then pull again: received data is kept",
                cause);
    }

    static String reason(IOException failure) {
        if (failure instanceof HttpTimeoutException) {
            return "no answer in time";
        }
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof UnresolvedAddressException) {
                return "the host's name is unknown (is this machine offline?)";
            }
        }
        if (failure instanceof ConnectException) {
            return "no connection (" + (failure.getMessage() == null ? "refused" : failure.getMessage()) + ")";
        }
        return failure.getMessage() == null ? failure.getClass().getSimpleName() : failure.getMessage();
    }

    /// A failure after which a later attempt may succeed: overload, a fault of the server, a
    /// truncated body.
    static final class TransientException extends IOException {
        private static final long serialVersionUID = 1L;

        private final Duration asked;

        TransientException(String message, Duration asked) {
            super(message);
            this.asked = asked;
        }

        /// The time that the server asks to wait; zero if it gives none.
        Duration asked() {
            return asked;
        }
    }
}
