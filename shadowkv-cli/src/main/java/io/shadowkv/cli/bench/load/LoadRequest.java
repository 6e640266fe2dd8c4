package io.shadowkv.cli.bench.load;

import org.jspecify.annotations.Nullable;

/// A request of a trace.
///
/// @param index number of the request in its trace, from 0
/// @param document what it is about; null if it stands by itself
/// @param text its own tokens, which follow the document
/// @param answerTokens number of tokens to generate
public record LoadRequest(int index, @Nullable LoadDocument document, PromptText text, int answerTokens) {}
