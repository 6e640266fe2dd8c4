package io.shadowkv.sampling;

import java.util.Arrays;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/// Draws token ids for one sequence, with the random state of that sequence. Not thread-safe.
public final class Sampler {
    private final SamplingOptions options;
    private final RandomGenerator random;

    public Sampler(SamplingOptions options) {
        this.options = options;
        this.random = RandomGeneratorFactory.of("L64X128MixRandom").create(options.seed());
    }

    /// Draws the next token.
    ///
    /// @param logits `[vocabulary]`, overwritten
    /// @param history ids that the repetition penalty applies to; the first `historyLength` are
    ///     valid
    /// @throws LogitsException if a logit is NaN or none is finite
    public int next(float[] logits, int[] history, int historyLength) {
        penalize(logits, history, historyLength);
        int most = argmax(logits);
        if (options.isGreedy()) {
            return most;
        }
        long[] order = descending(logits);
        double[] probabilities = softmax(logits, order);
        int kept = truncate(probabilities);
        return idOf(order[draw(probabilities, kept)]);
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

    private void penalize(float[] logits, int[] history, int historyLength) {
        if (options.repetitionPenalty() == 1) {
            return;
        }
        int[] seen = Arrays.stream(history, 0, historyLength).distinct().toArray();
        for (int id : seen) {
            double logit = logits[id];
            logits[id] =
                    (float) (logit > 0 ? logit / options.repetitionPenalty() : logit * options.repetitionPenalty());
        }
    }

    /// Packs each id below its logit, so that one ascending sort of longs yields larger logits
    /// first and, among equals, lower ids first.
    private static long[] descending(float[] logits) {
        long[] keys = new long[logits.length];
        for (int id = 0; id < keys.length; id++) {
            int bits = Float.floatToIntBits(logits[id]);
            int ascending = bits ^ (bits >> 31 & Integer.MAX_VALUE);
            keys[id] = (long) ~ascending << 32 | id;
        }
        Arrays.sort(keys);
        return keys;
    }

    private static int idOf(long key) {
        return (int) key;
    }

    private double[] softmax(float[] logits, long[] order) {
        int count = options.topK() == 0 ? order.length : Math.min(options.topK(), order.length);
        double[] probabilities = new double[count];
        double largest = logits[idOf(order[0])];
        double sum = 0;
        for (int i = 0; i < count; i++) {
            probabilities[i] = Math.exp((logits[idOf(order[i])] - largest) / options.temperature());
            sum += probabilities[i];
        }
        for (int i = 0; i < count; i++) {
            probabilities[i] /= sum;
        }
        return probabilities;
    }

    private int truncate(double[] probabilities) {
        int kept = probabilities.length;
        if (options.topP() < 1) {
            double sum = 0;
            kept = 0;
            while (kept < probabilities.length && sum < options.topP()) {
                sum += probabilities[kept++];
            }
        }
        double least = options.minP() * probabilities[0];
        while (kept > 1 && (probabilities[kept - 1] < least || probabilities[kept - 1] == 0)) {
            kept--;
        }
        return kept;
    }

    private int draw(double[] probabilities, int kept) {
        double sum = 0;
        for (int i = 0; i < kept; i++) {
            sum += probabilities[i];
        }
        double target = random.nextDouble() * sum;
        for (int i = 0; i < kept - 1; i++) {
            target -= probabilities[i];
            if (target < 0) {
                return i;
            }
        }
        return kept - 1;
    }
}
