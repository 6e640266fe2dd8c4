package io.shadowkv.server.structured;

/// A part of an answer that may have thoughts and calls of tools.
public sealed interface AnswerPart {
    /// Text for the user.
    record Text(String text) implements AnswerPart {}

    /// What the model thinks before it answers.
    record Thoughts(String text) implements AnswerPart {}

    /// The start of a call.
    ///
    /// @param index number of the call in the answer, from 0
    /// @param id identifies the call for the client's result
    /// @param name the function's name
    record CallStart(int index, String id, String name) implements AnswerPart {}

    /// More of the arguments of a call.
    ///
    /// @param json compact JSON
    record CallArguments(int index, String json) implements AnswerPart {}
}
