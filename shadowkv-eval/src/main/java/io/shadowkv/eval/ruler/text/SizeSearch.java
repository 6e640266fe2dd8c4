package io.shadowkv.eval.ruler.text;

import java.util.function.IntUnaryOperator;

/// How the versions find the size that fills a context.
///
/// @param step units to grow by, and the least size
/// @param most units the source has; only stepping stops there
/// @param probesEnd stepping counts a text of the whole source before it stops there
/// @param estimateAt size of the text that bisection estimates tokens per unit from
/// @param slack bisection's upper bound, as a multiple of the estimated capacity
/// @param overhead tokens beside the prompt: the answer's room, a worked example
public record SizeSearch(int step, int most, boolean probesEnd, int estimateAt, int slack, int overhead) {
    /// The older version's: the first step that reaches the limit, less one. The original takes every
    /// step; here steps double and are then halved between, which ends at the same one and is not hours at
    /// a million tokens.
    ///
    /// @param prompt tokens of a prompt of a size
    /// @return the size; 0 if not even one step fits
    public int stepping(int maxTokens, IntUnaryOperator prompt) {
        int last = probesEnd && most < Integer.MAX_VALUE ? most / step + 1 : Math.max(1, most / step);
        int below = 0;
        int reaching = 1;
        int total = prompt.applyAsInt(step) + overhead;
        while (total < maxTokens) {
            if (reaching == last) {
                return most;
            }
            below = reaching;
            reaching = (int) Math.min(2L * reaching, last);
            total = prompt.applyAsInt(reaching * step) + overhead;
        }
        while (reaching - below > 1) {
            int middle = (below + reaching) / 2;
            int tokens = prompt.applyAsInt(middle * step) + overhead;
            if (tokens < maxTokens) {
                below = middle;
            } else {
                reaching = middle;
                total = tokens;
            }
        }
        if (total > maxTokens) {
            return below * step;
        }
        // Hitting the limit exactly also ends the original's loop, one step too high; its rows shrink again.
        return reaching == last ? most : (reaching + 1) * step;
    }

    /// The current version's.
    ///
    /// @param prompt tokens of a prompt of a size
    /// @return the size, at least one step
    public int bisecting(int maxTokens, IntUnaryOperator prompt) {
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
