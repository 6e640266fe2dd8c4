package io.shadowkv.eval.ruler.text;

import java.util.function.IntUnaryOperator;

/// The searches with which the versions find the size that fills a context.
///
/// @param step increment of the size, and the smallest size
/// @param most number of units in the source; only the stepping search stops there
/// @param probesEnd whether the stepping search counts the text of the whole source before it stops
///     there
/// @param estimateAt size of the text from which the bisecting search estimates tokens per unit
/// @param slack the bisecting search's upper bound, as a multiple of the estimated capacity
/// @param overhead tokens in addition to the prompt: the answer's maximum length, a worked example
public record SizeSearch(int step, int most, boolean probesEnd, int estimateAt, int slack, int overhead) {
    /// The older version's search: the first step that reaches the limit, minus one. The original
    /// tries every step. This search doubles the steps and then bisects, which finds the same step
    /// without taking hours for a million tokens.
    ///
    /// @param prompt returns the tokens of a prompt of the given size
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
        // If the limit is met exactly, the original's loop ends one step too high, and its rows are
        // reduced later.
        return reaching == last ? most : (reaching + 1) * step;
    }

    /// The current version's search.
    ///
    /// @param prompt returns the tokens of a prompt of the given size
    /// @return the size, at least one step
    public int bisecting(int maxTokens, IntUnaryOperator prompt) {
        double tokensPerUnit = (double) prompt.applyAsInt(estimateAt) / estimateAt;
        double capacity = maxTokens / tokensPerUnit;
        // cwe rounds before the multiplication, the other tasks after it.
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
