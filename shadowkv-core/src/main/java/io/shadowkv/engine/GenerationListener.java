package io.shadowkv.engine;

/// Receives the progress of a sequence. A slow listener delays its own request only. An exception
/// ends the request, which fails with it.
///
/// If a caller waits for the answer, the listener runs on the caller's thread, and the sequence takes
/// its next step when the listener has returned. If the request was submitted, the listener runs on a
/// virtual thread, and the sequence can be up to 1,024 events ahead of it. An exception that comes
/// after such a sequence has ended is too late: the completion has arrived.
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
