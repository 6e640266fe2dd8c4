package io.shadowkv.engine;

/// Restricts which tokens a sequence may generate, for example to those of a grammar. One object per
/// sequence; called on the engine's thread, so it must be fast and must not wait.
public interface TokenConstraint {
    /// Sets the bits of the tokens that may come next and clears all others.
    ///
    /// @param bits token j is bit `j % 32` of word `j / 32`
    void allowed(int[] bits);

    /// A token was generated.
    void accept(int id);
}
