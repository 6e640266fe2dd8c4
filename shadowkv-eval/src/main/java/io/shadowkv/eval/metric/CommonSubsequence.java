package io.shadowkv.eval.metric;

import java.util.BitSet;
import java.util.List;

/// The longest common subsequence, by the textbook algorithm.
final class CommonSubsequence {
    private CommonSubsequence() {}

    /// Which text is shortened during backtracking if shortening either keeps the same length. The
    /// original implementations differ, and their scores depend on it.
    enum Tie {
        SHORTENS_FIRST,
        SHORTENS_SECOND
    }

    /// Positions in `first` of one longest common subsequence.
    ///
    /// Takes `first.size() * second.size()` steps and as many integers of memory.
    static BitSet placesInFirst(List<String> first, List<String> second, Tie tie) {
        int[][] length = lengths(first, second);
        BitSet places = new BitSet(first.size());
        int i = first.size();
        int j = second.size();
        while (i > 0 && j > 0) {
            if (first.get(i - 1).equals(second.get(j - 1))) {
                places.set(i - 1);
                i--;
                j--;
                continue;
            }
            int gain = length[i - 1][j] - length[i][j - 1];
            if (gain > 0 || gain == 0 && tie == Tie.SHORTENS_FIRST) {
                i--;
            } else {
                j--;
            }
        }
        return places;
    }

    /// Lengths for every pair of prefixes.
    private static int[][] lengths(List<String> first, List<String> second) {
        int[][] length = new int[first.size() + 1][second.size() + 1];
        for (int i = 1; i <= first.size(); i++) {
            for (int j = 1; j <= second.size(); j++) {
                length[i][j] = first.get(i - 1).equals(second.get(j - 1))
                        ? length[i - 1][j - 1] + 1
                        : Math.max(length[i - 1][j], length[i][j - 1]);
            }
        }
        return length;
    }
}
