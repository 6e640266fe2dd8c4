package io.shadowkv.server.answer;

import io.shadowkv.server.request.GenerationFields.StreamFields;
import java.time.Duration;

/// How the events of a request's generations become an answer.
///
/// @param format JSON forms of the answer
/// @param stream what the request says about streaming
/// @param answersPerPrompt number of answers to each prompt
/// @param promptTokens tokens of all prompts, for progress
/// @param pingInterval maximum time without a byte to the client
public record AnswerPlan(
        AnswerFormat format, StreamFields stream, int answersPerPrompt, long promptTokens, Duration pingInterval) {}
