package io.shadowkv.op;

import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;

/// Operations on F32 logits `[r, vocabulary]` from which tokens are drawn: changes of single logits,
/// masks, and the selection of the largest logits with what a draw needs to know of the others.
///
/// None of them reads data back to the host, so they can be part of a recorded step.
public interface SamplingOperations {
    /// Largest number of candidates per row.
    int MAX_CANDIDATES = 1024;

    /// Largest vocabulary.
    int MAX_VOCABULARY = 512 * 1024;

    /// Largest absolute error of a log sum of [#topLogits]. It comes from sums in float over blocks,
    /// and from rounding the result, at most log([#MAX_VOCABULARY]) = 13.2, to float.
    double LOG_SUM_ERROR = 5e-6;

    /// Selects the k largest logits of each row, in descending order; of equal logits the lower id
    /// comes first. 0 and -0 are equal, and both are returned as 0. A logit of -infinity is never
    /// selected. If a row has fewer than k other logits, the remaining entries have id -1 and value
    /// -infinity.
    ///
    /// Also computes two logarithms of sums over the whole row, relative to the row's largest logit
    /// so that float is exact enough:
    ///
    /// ```
    /// logSums[i, 0] = log Σ exp(logits[i, j] - largest)
    /// logSums[i, 1] = log Σ exp((logits[i, j] - largest) · inverseTemperatures[i])
    /// ```
    ///
    /// The absolute error of each is at most [#LOG_SUM_ERROR].
    ///
    /// In a row that contains a NaN or whose largest logit is not finite, every id is -1, and every
    /// value and both sums are NaN.
    ///
    /// @param logits `[r, vocabulary]`, 1 to [#MAX_VOCABULARY] logits a row
    /// @param inverseTemperatures F32 `[r]`, each finite and 0 or more
    /// @param values F32 `[r, k]`, k from 1 to [#MAX_CANDIDATES]
    /// @param ids I32 `[r, k]`
    /// @param logSums F32 `[r, 2]`
    void topLogits(Tensor logits, Tensor inverseTemperatures, Tensor values, Tensor ids, Tensor logSums);

    /// Changes single logits. For each entry, with l the logit of its row and id:
    ///
    /// ```
    /// l = l > 0 ? l / penalty : l · penalty
    /// l = l + addend
    /// ```
    ///
    /// Each of the two steps is rounded to float once, so all backends give the same bits. Presence
    /// and frequency penalties, logit bias and bans (an addend of -infinity) are addends.
    ///
    /// @param logits `[r, vocabulary]`, in place
    /// @param places I32 `[n, 2]`: row and id of each entry. No two entries may have the same place.
    ///     An entry whose row is negative is skipped, so a recorded step can serve fewer entries
    /// @param changes F32 `[n, 2]`: penalty (above 0; 1 changes nothing) and addend (0 changes
    ///     nothing) of each entry
    void adjustLogits(Tensor logits, Tensor places, Tensor changes);

    /// Sets the logits of forbidden tokens to -infinity.
    ///
    /// @param logits `[r, vocabulary]`, in place
    /// @param bits I32 `[r, ceil(vocabulary / 32)]`: token j is allowed if bit `j % 32` of word
    ///     `j / 32` of its row is 1; further bits of the last word are ignored
    /// @param masked I32 `[r]`: 0 for a row that stays as it is, whatever its bits are
    void maskLogits(Tensor logits, Tensor bits, Tensor masked);

    /// Checks types and shapes of [#topLogits].
    ///
    /// @throws IllegalArgumentException if one does not fit
    static void checkTop(Tensor logits, Tensor inverseTemperatures, Tensor values, Tensor ids, Tensor logSums) {
        int rows = checkLogits(logits);
        int k = values.shape().rank() == 2 ? values.extent(1) : 0;
        if (k < 1 || k > MAX_CANDIDATES) {
            throw new IllegalArgumentException("the candidates' values are " + describe(values)
                    + "; expected F32 [rows, k] with k from 1 to " + MAX_CANDIDATES);
        }
        check("inverse temperatures", inverseTemperatures, DType.F32, rows);
        check("values", values, DType.F32, rows, k);
        check("ids", ids, DType.I32, rows, k);
        check("log sums", logSums, DType.F32, rows, 2);
    }

    /// Checks types and shapes of [#adjustLogits].
    ///
    /// @throws IllegalArgumentException if one does not fit
    static void checkAdjust(Tensor logits, Tensor places, Tensor changes) {
        checkLogits(logits);
        check("places", places, DType.I32, places.extent(0), 2);
        check("changes", changes, DType.F32, places.extent(0), 2);
    }

    /// Checks types and shapes of [#maskLogits].
    ///
    /// @throws IllegalArgumentException if one does not fit
    static void checkMask(Tensor logits, Tensor bits, Tensor masked) {
        int rows = checkLogits(logits);
        check("bits", bits, DType.I32, rows, Math.ceilDiv(logits.extent(1), Integer.SIZE));
        check("row flags", masked, DType.I32, rows);
    }

    private static int checkLogits(Tensor logits) {
        if (logits.dtype() != DType.F32
                || logits.shape().rank() != 2
                || logits.extent(1) < 1
                || logits.extent(1) > MAX_VOCABULARY) {
            throw new IllegalArgumentException("logits are " + describe(logits)
                    + "; expected F32 [rows, vocabulary] with a vocabulary of 1 to " + MAX_VOCABULARY);
        }
        return logits.extent(0);
    }

    private static void check(String what, Tensor tensor, DType dtype, int... extents) {
        if (tensor.dtype() != dtype || !Arrays.equals(tensor.shape().toArray(), extents)) {
            throw new IllegalArgumentException("the " + what + " are " + describe(tensor) + "; expected " + dtype + " "
                    + Arrays.toString(extents));
        }
    }

    private static String describe(Tensor tensor) {
        return tensor.dtype() + " " + tensor.shape();
    }
}
