package io.shadowkv.eval.rows;

import org.jspecify.annotations.Nullable;

/// A question about a document.
///
/// @param key names the row in its answer: a string or a whole number, as JSON
/// @param document the text that the question is about
/// @param question the text after the document
/// @param options options of generation as a JSON object, see [RowOptions]; null for the defaults
public record RowQuestion(
        String key,
        String document,
        String question,
        @Nullable String options) {}
