package io.shadowkv.server.error;

import io.shadowkv.engine.ContextLengthException;
import io.shadowkv.engine.EngineUnavailableException;
import io.shadowkv.engine.MemoryPlanException;
import io.shadowkv.engine.QueueFullException;
import io.shadowkv.text.TokenizerException;
import io.shadowkv.text.chat.ChatTemplateException;

/// Translates exceptions of the engine into errors of the API.
final class EngineFailures {
    private static final int QUEUE_SECONDS = 1;
    private static final int UNAVAILABLE_SECONDS = 5;

    private EngineFailures() {}

    /// Returns what the client is told, with the failure as its cause. The message of a failure that the
    /// client did not cause says nothing about its origin, which belongs in the server's log.
    static ApiException explain(Throwable failure) {
        if (failure instanceof ApiException refused) {
            return refused;
        }
        String message = String.valueOf(failure.getMessage());
        ApiException error = switch (failure) {
            case ContextLengthException e -> ApiException.invalid("messages", "context_length_exceeded", message);
            case MemoryPlanException e -> ApiException.invalid("messages", "insufficient_memory", message);
            case QueueFullException e ->
                new ApiException(429, "rate_limit_error", message, null, "queue_full", QUEUE_SECONDS);
            case EngineUnavailableException e ->
                ApiException.unavailable("engine_unavailable", message, UNAVAILABLE_SECONDS);
            case ChatTemplateException e -> ApiException.invalid("messages", "chat_template", message);
            case TokenizerException e -> ApiException.invalid("prompt", "tokenizer", message);
            default ->
                new ApiException(
                        500,
                        "server_error",
                        "the server failed while it answered ("
                                + failure.getClass().getSimpleName() + "). The server's log has the cause",
                        null,
                        "internal_error",
                        0);
        };
        return error.because(failure);
    }
}
