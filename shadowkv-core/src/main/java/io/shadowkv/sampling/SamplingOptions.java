package io.shadowkv.sampling;

/// How the next token is drawn. The options apply in the order of Hugging Face transformers:
/// repetition penalty, temperature, top-k, top-p, min-p.
///
/// @param temperature 0 means greedy: the most likely token, without a random draw
/// @param topK keep the k most likely; 0 keeps all
/// @param topP keep the fewest most likely tokens whose probabilities reach this sum; 1 keeps all
/// @param minP drop tokens less likely than this share of the most likely one; 0 drops none
/// @param repetitionPenalty divides the positive and multiplies the negative logits of ids that
///     already occurred; 1 changes nothing
/// @param seed random seed; the same seed and prompt give the same tokens
public record SamplingOptions(
        double temperature, int topK, double topP, double minP, double repetitionPenalty, long seed) {
    /// The most likely token at every step.
    public static final SamplingOptions GREEDY = new SamplingOptions(0, 0, 1, 0, 1, 0);

    public SamplingOptions {
        check(temperature >= 0 && temperature <= 100, "temperature", temperature, "0 (greedy) to 100");
        check(topK >= 0, "top-k", topK, "0 (off) or more");
        check(topP > 0 && topP <= 1, "top-p", topP, "above 0, up to 1 (off)");
        check(minP >= 0 && minP <= 1, "min-p", minP, "0 (off) to 1");
        check(
                repetitionPenalty > 0 && repetitionPenalty <= 100,
                "repetition penalty",
                repetitionPenalty,
                "above 0, up to 100; 1 is off");
    }

    public SamplingOptions withTemperature(double value) {
        return new SamplingOptions(value, topK, topP, minP, repetitionPenalty, seed);
    }

    public SamplingOptions withTopK(int value) {
        return new SamplingOptions(temperature, value, topP, minP, repetitionPenalty, seed);
    }

    public SamplingOptions withTopP(double value) {
        return new SamplingOptions(temperature, topK, value, minP, repetitionPenalty, seed);
    }

    public SamplingOptions withMinP(double value) {
        return new SamplingOptions(temperature, topK, topP, value, repetitionPenalty, seed);
    }

    public SamplingOptions withRepetitionPenalty(double value) {
        return new SamplingOptions(temperature, topK, topP, minP, value, seed);
    }

    public SamplingOptions withSeed(long number) {
        return new SamplingOptions(temperature, topK, topP, minP, repetitionPenalty, number);
    }

    /// True if no random draw is made.
    public boolean isGreedy() {
        return temperature == 0;
    }

    /// True if the next token is always the one with the largest logit.
    public boolean isLargestLogit() {
        return isGreedy() && repetitionPenalty == 1;
    }

    private static void check(boolean holds, String what, Number found, String expected) {
        if (!holds) {
            throw new IllegalArgumentException(what + " is " + found + "; expected " + expected);
        }
    }
}
