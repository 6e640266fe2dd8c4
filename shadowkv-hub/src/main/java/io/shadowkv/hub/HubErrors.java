package io.shadowkv.hub;

import java.io.IOException;
import java.net.ConnectException;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;

/// Turns the hub's answers and the network's failures into messages that say what to do.
final class HubErrors {
    private HubErrors() {}

    /// Passes 200 and 206.
    ///
    /// @param what the file or revision asked for
    /// @throws HubTransientException if a later try may do better
    /// @throws HubException if none will
    static void check(HttpResponse<?> response, String repo, String what, boolean hasToken)
            throws HubTransientException {
        int status = response.statusCode();
        if (status == 200 || status == 206) {
            return;
        }
        if (status >= 500 || status == 408 || status == 429) {
            throw new HubTransientException(
                    response.uri().getHost() + " answered " + status + " for " + repo + " " + what,
                    retryAfter(response));
        }
        String code = response.headers().firstValue("X-Error-Code").orElse("");
        String asked =
                repo + ": the hub refused " + what + " (status " + status + (code.isEmpty() ? "" : ", " + code) + "). ";
        throw new HubException(asked + advice(status, code, hasToken));
    }

    private static String advice(int status, String code, boolean hasToken) {
        if (code.equals("GatedRepo") || status == 403) {
            return "The repository is gated: accept its terms on its page, "
                    + (hasToken
                            ? "with the account the token in HF_TOKEN belongs to"
                            : "then set HF_TOKEN to a token of that account");
        }
        if (code.equals("RevisionNotFound")) {
            return "The repository has no such revision; name a branch, a tag or a commit that exists";
        }
        if (status == 401) {
            return hasToken
                    ? "The token in HF_TOKEN is not accepted, or the repository does not exist; check both"
                    : "The repository does not exist, or it is private: check its name, or set HF_TOKEN to a token that may"
                            + " read it";
        }
        if (status == 404) {
            return "There is no such thing on this server; check the name, and HF_ENDPOINT if it is set";
        }
        return "Check the name, HF_ENDPOINT and HF_TOKEN";
    }

    private static Duration retryAfter(HttpResponse<?> response) {
        try {
            long seconds = response.headers().firstValueAsLong("Retry-After").orElse(0);
            return Duration.ofSeconds(Math.clamp(seconds, 0, 3600));
        } catch (NumberFormatException e) {
            // A date is also allowed there; the own pause serves as well.
            return Duration.ZERO;
        }
    }

    static Duration asked(IOException failure) {
        return failure instanceof HubTransientException transientFailure ? transientFailure.asked() : Duration.ZERO;
    }

    /// A thread that was told to stop sees its blocked reads fail; that is a stop, not a network fault.
    static void checkInterrupted(IOException failure) throws InterruptedException {
        if (Thread.interrupted() || failure.getCause() instanceof InterruptedException) {
            InterruptedException stopped = new InterruptedException("the pull was stopped; what was received is kept");
            stopped.initCause(failure);
            throw stopped;
        }
    }

    static HubException unreachable(HubClient client, String what, int failures, IOException cause) {
        return new HubException(
                "cannot fetch " + what + " from " + client.host() + ": " + reason(cause) + ", after " + failures
                        + " tries. Check the network and " + client.setting()
                        + ", then pull again: what was received is kept",
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
}
