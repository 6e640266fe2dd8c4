package io.shadowkv.cache.prefill;

import io.shadowkv.cache.prefill.KeyLists.Kept;
import java.util.Arrays;

/// The columns and distances that one head attends to, chosen by the last queries of a prompt
/// (MInference, arXiv 2407.02490; microsoft/MInference, `minference_forward.py` and
/// `vertical_slash_index.cu`).
///
/// @param columns keys that all rows read, ascending
/// @param distances distances between a row and a key that it reads, descending
record VerticalSlash(int[] columns, int[] distances) {
    private static final int BLOCK = MinferenceAttention.BLOCK;
    private static final int LEAST_COLUMNS = 30;
    private static final int LEAST_DISTANCES = 50;
    private static final int FIRST_COLUMNS = 30;
    private static final int NEAREST_DISTANCES = 100;

    /// Chooses by the attention of the last rows.
    ///
    /// @param columnScores for each key, the sum of its weights
    /// @param distanceScores for each distance, the sum of the weights at that distance
    static VerticalSlash choose(HeadPatterns.Pattern pattern, double[] columnScores, double[] distanceScores) {
        int keys = columnScores.length;
        int columns = Math.min(keys, Math.max(pattern.vertical(), LEAST_COLUMNS));
        int distances = Math.min(keys, Math.max(pattern.slash(), LEAST_DISTANCES));
        int[] ascending = highest(columnScores, columns, FIRST_COLUMNS);
        int[] near = highest(distanceScores, distances, NEAREST_DISTANCES);
        for (int i = 0; i < near.length / 2; i++) {
            int other = near[near.length - 1 - i];
            near[near.length - 1 - i] = near[i];
            near[i] = other;
        }
        return new VerticalSlash(ascending, near);
    }

    /// The indices of the `count` highest scores, ascending; the first `forced` count as highest.
    static int[] highest(double[] scores, int count, int forced) {
        double[] sorted = scores.clone();
        Arrays.fill(sorted, 0, Math.min(forced, sorted.length), Double.POSITIVE_INFINITY);
        double[] ranked = sorted.clone();
        Arrays.sort(sorted);
        double least = sorted[sorted.length - count];
        int above = 0;
        for (double score : ranked) {
            above += score > least ? 1 : 0;
        }
        int equal = count - above;
        int[] chosen = new int[count];
        int n = 0;
        for (int i = 0; i < ranked.length && n < count; i++) {
            if (ranked[i] > least || ranked[i] == least && equal-- > 0) {
                chosen[n++] = i;
            }
        }
        return chosen;
    }

    /// What the rows of one block read: the keys at the chosen distances, rounded up to ranges of whole
    /// blocks, and the columns outside of these ranges.
    ///
    /// A distance s gives the keys that end at the row block's end less s. A range grows by a block while
    /// the next one ends at most a block further.
    ///
    /// @param rowBlock number of the block of rows
    Kept of(int rowBlock) {
        int end = (rowBlock + 1) * BLOCK;
        int[] starts = new int[distances.length];
        int[] single = new int[columns.length];
        int startCount = 0;
        int singleCount = 0;
        int column = 0;
        int next = 0;
        while (next < distances.length && distances[next] >= end) {
            next++;
        }
        int stop = Math.max(end - distances[next++], BLOCK);
        int start = stop - BLOCK;
        while (true) {
            if (column < columns.length && columns[column] < stop) {
                if (columns[column] < start) {
                    single[singleCount++] = columns[column];
                }
                column++;
                continue;
            }
            boolean isLast = next == distances.length;
            int following = isLast ? 0 : Math.max(end - distances[next++], BLOCK);
            if (isLast || following > stop + BLOCK) {
                for (int from = start; from < stop; from += BLOCK) {
                    starts[startCount++] = from;
                }
                if (isLast) {
                    break;
                }
                start = following - BLOCK;
                stop = following;
            } else if (following > stop) {
                stop += BLOCK;
            }
        }
        return new Kept(
                Arrays.copyOf(starts, startCount),
                Arrays.copyOf(single, singleCount),
                0,
                io.shadowkv.op.AttentionOperations.SelectedKeys.NO_BAND);
    }
}
