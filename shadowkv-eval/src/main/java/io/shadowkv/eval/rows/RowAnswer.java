package io.shadowkv.eval.rows;

import org.jspecify.annotations.Nullable;

/// The answer to a row, or the reason why there is none.
///
/// @param key the row's key, as JSON
/// @param answer the text; null if the row has an error
/// @param error the reason; null if the row has an answer
/// @param finish `stop` if the model or a stop string ended the answer, `length` if it has the
///     maximum length; null if the row has an error
/// @param promptTokens number of tokens of document and question
/// @param cachedTokens number of leading tokens that were not read again for this row
/// @param newTokens number of tokens of the answer
public record RowAnswer(
        String key,
        @Nullable String answer,
        @Nullable String error,
        @Nullable String finish,
        int promptTokens,
        int cachedTokens,
        int newTokens) {
    public static RowAnswer failed(String key, String error) {
        return new RowAnswer(key, null, error, null, 0, 0, 0);
    }
}
