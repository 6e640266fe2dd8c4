package io.shadowkv.engine;

/// Receives the progress of a sequence: on the thread that called the engine and waits, or on a
/// virtual thread if the request was submitted. The sequence takes its next step when the listener
/// has returned, so a slow listener delays its own request only. An exception ends the request.
public interface GenerationListener {
    /// A listener that ignores everything.
    GenerationListener SILENT = new GenerationListener() {};

    /// Called after part of the prompt was read.
    ///
    /// @param done completed share of the work, from 0 to 1. The cost of attention grows with the
    ///     position, so this is not the share of tokens
    default void reading(double done) {}

    /// Called after a token was generated.
    ///
    /// @param id the token
    /// @param text complete characters that this token added to the text; may be empty
    default void token(int id, String text) {}
}
