package io.shadowkv.sampling;

import java.util.OptionalInt;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/// Draws token ids for one sequence, with the random state of that sequence. Not thread-safe.
///
/// A draw from the largest logits of a row ([#tryNext]) gives the same token as a draw from the
/// whole row ([#next]). It gives none if the token depends on logits that are not among them.
public final class Sampler {
    private final SamplingOptions options;
    private final RandomGenerator random;
    /// The random number of a draw that had too few candidates; negative if there is none.
    private double held = -1;

    public Sampler(SamplingOptions options) {
        this.options = options;
        this.random = RandomGeneratorFactory.of("L64X128MixRandom").create(options.seed());
    }

    /// Draws the next token after applying repetition penalty and logit bias.
    ///
    /// @param logits `[vocabulary]`, overwritten
    /// @param history ids that the repetition penalty applies to; the first `historyLength` are
    ///     valid
    /// @throws LogitsException if a logit is NaN or none is finite
    /// @throws IllegalStateException if the options have a presence or frequency penalty: this method
    ///     does not know which tokens were generated
    public int next(float[] logits, int[] history, int historyLength) {
        if (options.countsGenerated()) {
            throw new IllegalStateException("presence penalty " + options.presencePenalty() + " and frequency penalty "
                    + options.frequencyPenalty()
                    + " count generated tokens only. Apply a LogitChanges, then draw with next(logits)");
        }
        if (options.changesLogits()) {
            new LogitChanges(options, history, historyLength).apply(logits);
        }
        return next(logits);
    }

    /// Draws the next token from logits to which the penalties have been applied ([LogitChanges]).
    ///
    /// @param logits `[vocabulary]`
    /// @throws LogitsException if a logit is NaN or none is finite
    public int next(float[] logits) {
        if (options.isGreedy()) {
            return argmax(logits);
        }
        Candidates all = Candidates.ofAll(logits);
        return tryNext(all).orElseThrow(() -> new AssertionError("a whole row has enough candidates"));
    }

    /// Draws the next token from the largest logits of a row to which the penalties have been
    /// applied. Returns nothing if there are too few: the kept tokens (top-p, min-p) or the drawn one
    /// may be outside the candidates, or the float sums of the row do not settle which token it is.
    /// Then call [#next(float\[\])] with the same row, which makes the draw with the same random
    /// number.
    ///
    /// @throws IllegalArgumentException if the candidates' sum was computed for another temperature
    public OptionalInt tryNext(Candidates candidates) {
        if (options.isGreedy()) {
            return OptionalInt.of(candidates.id(0));
        }
        double uniform = held >= 0 ? held : random.nextDouble();
        int rank = Draw.rank(candidates, options, uniform);
        held = rank < 0 ? uniform : -1;
        return rank < 0 ? OptionalInt.empty() : OptionalInt.of(candidates.id(rank));
    }

    /// Index of the largest value; the lowest index if several are equal.
    ///
    /// @throws LogitsException if a value is NaN or the largest is not finite
    public static int argmax(float[] values) {
        int best = 0;
        for (int i = 0; i < values.length; i++) {
            if (Float.isNaN(values[i])) {
                throw notNumbers(i, values[i]);
            }
            if (values[i] > values[best]) {
                best = i;
            }
        }
        if (Float.isInfinite(values[best])) {
            throw notNumbers(best, values[best]);
        }
        return best;
    }

    private static LogitsException notNumbers(int id, float logit) {
        return new LogitsException(
                "the logit of token " + id + " is " + logit + (logit < 0 ? ", and no other is larger" : "")
                        + "; expected finite numbers. The weights are damaged, or the model's activations overflow");
    }
}
