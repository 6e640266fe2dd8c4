package io.shadowkv.sampling;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Log probabilities of a drawn token and of the most likely tokens at its place, natural logarithms
/// over the whole vocabulary.
///
/// They are those of the logits given, at temperature 1 and without top-k, top-p or min-p. From the
/// model's own logits they are what OpenAI returns and vLLM calls raw logprobs. From logits to which
/// penalties, bias or a mask were applied they are the logprobs after these changes; to get raw ones
/// too, select candidates before the logits are changed.
///
/// @param id the drawn token
/// @param logprob its log probability; -infinity if its logit is
/// @param top the most likely tokens in descending order, of equals the lower id first; tokens
///     whose logit is -infinity are left out
public record TokenLogprobs(int id, double logprob, List<Top> top) {
    public TokenLogprobs {
        top = List.copyOf(top);
    }

    /// A token among the most likely ones.
    public record Top(int id, double logprob) {}

    /// Log probabilities from the largest logits of a row. Empty if the candidates do not contain the
    /// drawn token or fewer than `count` tokens, unless they are the whole row. Then use the row.
    ///
    /// @param count how many of the most likely tokens to return; 0 or more
    public static Optional<TokenLogprobs> of(Candidates candidates, int id, int count) {
        int rank = candidates.rankOf(id);
        if (!candidates.isWhole() && (rank < 0 || count > candidates.size())) {
            return Optional.empty();
        }
        List<Top> top = new ArrayList<>();
        for (int i = 0; i < Math.min(count, candidates.size()); i++) {
            top.add(new Top(candidates.id(i), candidates.logprob(i)));
        }
        double logprob = rank < 0 ? Double.NEGATIVE_INFINITY : candidates.logprob(rank);
        return Optional.of(new TokenLogprobs(id, logprob, top));
    }

    /// Log probabilities from a whole row.
    ///
    /// @param count how many of the most likely tokens to return; 0 or more
    /// @throws LogitsException if a logit is NaN or the largest is not finite
    public static TokenLogprobs of(float[] row, int id, int count) {
        float largest = row[Sampler.argmax(row)];
        double sum = 0;
        for (float logit : row) {
            sum += Math.exp((double) logit - largest);
        }
        double logSum = largest + Math.log(sum);
        List<Top> top = new ArrayList<>();
        for (int best : largest(row, Math.min(count, row.length))) {
            if (best >= 0) {
                top.add(new Top(best, row[best] - logSum));
            }
        }
        return new TokenLogprobs(id, row[id] - logSum, top);
    }

    /// Ids of the largest logits in descending order; -1 where there are fewer above -infinity.
    private static int[] largest(float[] row, int count) {
        int[] ids = new int[count];
        java.util.Arrays.fill(ids, -1);
        for (int id = 0; id < row.length && count > 0; id++) {
            int last = ids[count - 1];
            if (row[id] == Float.NEGATIVE_INFINITY || (last >= 0 && row[id] <= row[last])) {
                continue;
            }
            int at = count - 1;
            for (; at > 0 && (ids[at - 1] < 0 || row[id] > row[ids[at - 1]]); at--) {
                ids[at] = ids[at - 1];
            }
            ids[at] = id;
        }
        return ids;
    }
}
