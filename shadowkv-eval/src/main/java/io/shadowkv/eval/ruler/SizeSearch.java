package io.shadowkv.eval.ruler;

import java.util.function.IntUnaryOperator;

/// How the versions find the size that fills a context.
///
/// @param step units to grow by, and the least size
/// @param most units the source has; only stepping stops there
/// @param probesEnd stepping counts a text of the whole source before it stops there
/// @param estimateAt size of the text that bisection estimates tokens per unit from
/// @param slack bisection's upper bound, as a multiple of the estimated capacity
/// @param overhead tokens beside the prompt: the answer's room, a worked example
record SizeSearch(int step, int most, boolean probesEnd, int estimateAt, int slack, int overhead) {
    /// The older version's.
    ///
    /// @param prompt tokens of a prompt of a size
    /// @return the size; 0 if not even one step fits
    int stepping(int maxTokens, IntUnaryOperator prompt) {
        int size = step;
        while (true) {
            int total = prompt.applyAsInt(size) + overhead;
            if (total > maxTokens) {
                return size - step;
            }
            if (probesEnd && size > most) {
                return most;
            }
            size += step;
            if (!probesEnd && size > most) {
                return most;
            }
            // The official loop ends here one step too high; its rows shrink again.
            if (total == maxTokens) {
                return size;
            }
        }
    }

    /// The current version's.
    ///
    /// @param prompt tokens of a prompt of a size
    /// @return the size, at least one step
    int bisecting(int maxTokens, IntUnaryOperator prompt) {
        double tokensPerUnit = (double) prompt.applyAsInt(estimateAt) / estimateAt;
        double capacity = maxTokens / tokensPerUnit;
        // cwe rounds before it multiplies, the others after.
        int estimate = slack == 2 ? ((int) capacity) * 2 : (int) (capacity * slack);
        int low = step;
        int high = Math.max(estimate, step * 2);
        int best = step;
        while (low <= high) {
            int middle = (low + high) / 2;
            if (prompt.applyAsInt(middle) + overhead <= maxTokens) {
                best = middle;
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return best;
    }
}
