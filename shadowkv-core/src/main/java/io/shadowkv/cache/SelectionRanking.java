package io.shadowkv.cache;

import io.shadowkv.tensor.Tensor;

/// Scores the units of a prompt as a decode step does, without selecting any: what a step selects
/// with any budget are the units with the largest scores. For studies; owns its memory.
public interface SelectionRanking extends AutoCloseable {
    /// Tokens of a unit.
    int unitTokens();

    /// Number of units of each head that a step selects from. Tokens that are in none of them are
    /// attended to in every step.
    int units();

    /// The numbers of the units of a head: unit number n consists of the tokens from `n · unitTokens`
    /// on. Waits for the backend.
    int[] unitNumbers(int layer, int head);

    /// The scores of the units of each key-value head, in the order of [#unitNumbers]. Waits for the
    /// backend.
    ///
    /// @param queries rotated, of one token, `[1, queryHeads, headDim]`
    float[][] scores(int layer, Tensor queries);

    @Override
    void close();
}
