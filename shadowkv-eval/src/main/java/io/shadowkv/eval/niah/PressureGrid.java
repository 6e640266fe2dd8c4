package io.shadowkv.eval.niah;

/// The lengths and depths that are tested, lengths outermost (bytedance/ShadowKV, `data/dataset.py`).
///
/// @param minTokens the shortest context
/// @param maxTokens the longest
record PressureGrid(int minTokens, int maxTokens) {
    static final int LENGTHS = 15;
    static final int DEPTHS = 10;
    static final int CELLS = LENGTHS * DEPTHS;

    /// Where the paper begins.
    private static final int PAPER_MIN = 16_384;

    /// The paper's lengths, 16,384 to the maximum; from half the maximum where that is less than twice as
    /// much.
    static PressureGrid upTo(int maxTokens) {
        return new PressureGrid(maxTokens < 2 * PAPER_MIN ? maxTokens / 2 : PAPER_MIN, maxTokens);
    }

    /// @param cell from 0, below [#CELLS]
    int length(int cell) {
        return spread(minTokens, maxTokens, cell / DEPTHS, LENGTHS);
    }

    /// Share of the text before the needle, in per cent.
    int depth(int cell) {
        return spread(0, 100, cell % DEPTHS, DEPTHS);
    }

    /// Rounds to the nearest, halves to the even one, as NumPy does.
    private static int spread(int first, int last, int index, int count) {
        double step = (double) (last - first) / (count - 1);
        return index == count - 1 ? last : (int) Math.rint(first + index * step);
    }
}
