package io.shadowkv.sampling;

import java.util.Arrays;

/// The largest logits of a row in descending order, of equal logits the lower id first, and two log
/// sums over the whole row: what `SamplingOperations.topLogits` computes. Immutable.
public final class Candidates {
    private final float[] logits;
    private final int[] ids;
    private final boolean isWhole;
    private final double logSum;
    private final double temperedLogSum;
    private final float inverseTemperature;

    private Candidates(
            float[] logits,
            int[] ids,
            boolean isWhole,
            double logSum,
            double temperedLogSum,
            float inverseTemperature) {
        this.logits = logits;
        this.ids = ids;
        this.isWhole = isWhole;
        this.logSum = logSum;
        this.temperedLogSum = temperedLogSum;
        this.inverseTemperature = inverseTemperature;
    }

    /// The candidates of one row, from the downloaded results of `topLogits`.
    ///
    /// @param values `[r, k]`
    /// @param ids `[r, k]`
    /// @param logSums `[r, 2]`
    /// @param inverseTemperature the one that the row's second sum was computed with
    /// @throws LogitsException if the row has none because a logit is NaN or the largest is not
    ///     finite
    public static Candidates ofRow(int row, float[] values, int[] ids, float[] logSums, float inverseTemperature) {
        int k = values.length / (logSums.length / 2);
        int from = row * k;
        int count = 0;
        while (count < k && ids[from + count] >= 0) {
            count++;
        }
        if (count == 0) {
            throw new LogitsException("a logit is NaN, or the largest is not finite; expected finite numbers."
                    + " The weights are damaged, or the model's activations overflow");
        }
        return new Candidates(
                Arrays.copyOfRange(values, from, from + count),
                Arrays.copyOfRange(ids, from, from + count),
                count < k,
                logSums[2 * row],
                logSums[2 * row + 1],
                inverseTemperature);
    }

    /// All logits of a row as candidates, without those of -infinity. Sorts the row.
    ///
    /// @throws LogitsException if a logit is NaN or the largest is not finite
    public static Candidates ofAll(float[] row) {
        float largest = row[Sampler.argmax(row)];
        long[] keys = new long[row.length];
        int count = 0;
        double sum = 0;
        for (int id = 0; id < row.length; id++) {
            if (row[id] != Float.NEGATIVE_INFINITY) {
                keys[count++] = keyOf(row[id], id);
                sum += Math.exp((double) row[id] - largest);
            }
        }
        Arrays.sort(keys, 0, count);
        float[] logits = new float[count];
        int[] ids = new int[count];
        for (int i = 0; i < count; i++) {
            ids[i] = (int) keys[i];
            logits[i] = row[ids[i]] + 0f;
        }
        return new Candidates(logits, ids, true, Math.log(sum), Double.NaN, 0);
    }

    /// Keys in ascending order are logits in descending order and, among equals, ids in ascending
    /// order. 0 and -0 are equal.
    private static long keyOf(float logit, int id) {
        int bits = Float.floatToIntBits(logit + 0f);
        return (long) ~(bits ^ (bits >> 31 & Integer.MAX_VALUE)) << Integer.SIZE | id;
    }

    /// Number of candidates, at least 1.
    public int size() {
        return ids.length;
    }

    /// Id of the candidate with rank `rank`, from 0.
    public int id(int rank) {
        return ids[rank];
    }

    public float logit(int rank) {
        return logits[rank];
    }

    /// Rank of an id, or -1 if it is not among the candidates.
    public int rankOf(int id) {
        for (int rank = 0; rank < ids.length; rank++) {
            if (ids[rank] == id) {
                return rank;
            }
        }
        return -1;
    }

    /// True if no other token of the row has a chance.
    public boolean isWhole() {
        return isWhole;
    }

    /// Logarithm of a candidate's probability at temperature 1.
    public double logprob(int rank) {
        return (double) logits[rank] - logits[0] - logSum;
    }

    /// Sum of `exp((logit - largest) / temperature)` over the whole row. Only for candidates that are
    /// not the whole row.
    ///
    /// @throws IllegalArgumentException if the sum was computed for another temperature
    double temperedSum(float expectedInverseTemperature) {
        if (inverseTemperature != expectedInverseTemperature) {
            throw new IllegalArgumentException("the candidates' sum was computed with an inverse temperature of "
                    + inverseTemperature + "; the sampler's is " + expectedInverseTemperature);
        }
        return Math.exp(temperedLogSum);
    }
}
