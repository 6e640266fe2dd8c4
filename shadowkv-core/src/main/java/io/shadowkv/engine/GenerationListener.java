package io.shadowkv.engine;

/// Hears of a sequence's progress, on the thread that runs the engine. An exception ends the run it comes from.
public interface GenerationListener {
    /// Hears nothing.
    GenerationListener SILENT = new GenerationListener() {};

    /// Part of the prompt was read.
    ///
    /// @param done share of the work, 0 to 1 (attention grows with the position, so this is not the share of
    ///     tokens)
    default void reading(double done) {}

    /// A token was generated.
    ///
    /// @param id the token
    /// @param text whole characters that became certain with it; may be empty
    default void token(int id, String text) {}
}
