package io.shadowkv.server.error;

import org.jspecify.annotations.Nullable;

/// A request that is refused or fails, with what the client is told.
public final class ApiException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int status;
    private final String type;
    private final @Nullable String param;
    private final @Nullable String code;
    private final int retryAfterSeconds;

    /// @param status HTTP status
    /// @param type class of the error, as OpenAI names it
    /// @param param field of the request that is wrong
    /// @param code identifies the error for programs
    /// @param retryAfterSeconds time after which a retry may succeed; 0 if a retry cannot succeed
    public ApiException(
            int status,
            String type,
            String message,
            @Nullable String param,
            @Nullable String code,
            int retryAfterSeconds) {
        this(status, type, message, param, code, retryAfterSeconds, null);
    }

    private ApiException(
            int status,
            String type,
            String message,
            @Nullable String param,
            @Nullable String code,
            int retryAfterSeconds,
            @Nullable Throwable cause) {
        super(message, cause);
        this.status = status;
        this.type = type;
        this.param = param;
        this.code = code;
        this.retryAfterSeconds = retryAfterSeconds;
    }

    /// A request that is wrong in itself.
    public static ApiException invalid(@Nullable String param, String message) {
        return invalid(param, "invalid_value", message);
    }

    /// A request that is wrong in itself, with a code.
    public static ApiException invalid(@Nullable String param, String code, String message) {
        return refused(400, param, code, message);
    }

    /// A request that no retry can make right.
    public static ApiException refused(int status, @Nullable String param, String code, String message) {
        return new ApiException(status, "invalid_request_error", message, param, code, 0);
    }

    /// The same error with the failure that led to it, for the server's log.
    public ApiException because(Throwable cause) {
        return new ApiException(status, type, text(), param, code, retryAfterSeconds, cause);
    }

    /// A server that cannot take requests now.
    public static ApiException unavailable(String code, String message, int retryAfterSeconds) {
        return new ApiException(503, "server_error", message, null, code, retryAfterSeconds);
    }

    public int status() {
        return status;
    }

    public String type() {
        return type;
    }

    public @Nullable String param() {
        return param;
    }

    public @Nullable String code() {
        return code;
    }

    /// True if the same request may succeed later.
    public boolean isRetryable() {
        return retryAfterSeconds > 0;
    }

    public int retryAfterSeconds() {
        return retryAfterSeconds;
    }

    /// The text for the client.
    public String text() {
        return String.valueOf(getMessage());
    }
}
