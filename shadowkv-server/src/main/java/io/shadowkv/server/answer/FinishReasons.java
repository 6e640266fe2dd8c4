package io.shadowkv.server.answer;

import io.shadowkv.engine.Completion;
import io.shadowkv.server.error.ApiException;

/// OpenAI's words for the ends of sequences.
final class FinishReasons {
    private static final int RETRY_SECONDS = 5;

    private FinishReasons() {}

    /// @throws ApiException if the sequence was ended by a time limit before its first token, or by
    ///     the server
    static String of(Completion completion) {
        return switch (completion.finish()) {
            case END_OF_SEQUENCE, STOP_STRING -> "stop";
            case MAX_NEW_TOKENS -> "length";
            case TIMEOUT -> {
                if (completion.ids().length == 0) {
                    throw ApiException.refused(
                            408,
                            null,
                            "request_timeout",
                            "the server's time limit for a request (--request-timeout) passed before the first token."
                                    + " Shorten the prompt, or try when the server has less to do");
                }
                yield "length";
            }
            case CANCELLED ->
                throw ApiException.unavailable(
                        "cancelled", "the server has ended the request before its end", RETRY_SECONDS);
        };
    }
}
