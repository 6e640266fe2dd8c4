package io.shadowkv.eval.niah;

/// The tested lengths and depths, with lengths as the outer dimension (bytedance/ShadowKV,
/// `data/dataset.py`).
///
/// @param minTokens the shortest context
/// @param maxTokens the longest context
record PressureGrid(int minTokens, int maxTokens) {
    static final int LENGTHS = 15;
    static final int DEPTHS = 10;
    static final int CELLS = LENGTHS * DEPTHS;

    /// The paper's shortest length.
    private static final int PAPER_MIN = 16_384;

    /// The paper's lengths, from 16,384 to the maximum; from half the maximum if the maximum is
    /// below 32,768.
    static PressureGrid upTo(int maxTokens) {
        return new PressureGrid(maxTokens < 2 * PAPER_MIN ? maxTokens / 2 : PAPER_MIN, maxTokens);
    }

    /// The context length of a cell.
    ///
    /// @param cell from 0, below [#CELLS]
    int length(int cell) {
        return spread(minTokens, maxTokens, cell / DEPTHS, LENGTHS);
    }

    /// Percent of the text before the needle.
    int depth(int cell) {
        return spread(0, 100, cell % DEPTHS, DEPTHS);
    }

    /// Rounds to the nearest integer, halves to the even one, as NumPy does.
    private static int spread(int first, int last, int index, int count) {
        double step = (double) (last - first) / (count - 1);
        return index == count - 1 ? last : (int) Math.rint(first + index * step);
    }
}
