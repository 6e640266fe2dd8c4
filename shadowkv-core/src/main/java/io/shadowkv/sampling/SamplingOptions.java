package io.shadowkv.sampling;

import java.util.Map;

/// How the next token is drawn. The options apply in this order: repetition penalty, then logit
/// bias, presence penalty and frequency penalty together, then temperature, top-k, top-p, min-p.
///
/// @param temperature 0 means greedy: the most likely token, without a random draw
/// @param topK keep the k most likely; 0 keeps all
/// @param topP keep the fewest most likely tokens whose probabilities reach this sum; 1 keeps all
/// @param minP drop tokens less likely than this share of the most likely one; 0 drops none
/// @param repetitionPenalty divides the positive and multiplies the negative logits of ids that
///     occurred in the prompt or were generated, as in Hugging Face transformers; 1 changes nothing
/// @param presencePenalty subtracted from the logits of ids that were generated, as OpenAI and vLLM
///     define it; tokens of the prompt do not count; 0 changes nothing
/// @param frequencyPenalty subtracted from the logit of an id once for each time it was generated;
///     0 changes nothing
/// @param logitBias added to the logits of these ids
/// @param seed random seed; the same seed and prompt give the same tokens
public record SamplingOptions(
        double temperature,
        int topK,
        double topP,
        double minP,
        double repetitionPenalty,
        double presencePenalty,
        double frequencyPenalty,
        Map<Integer, Double> logitBias,
        long seed) {
    /// The most likely token at every step.
    public static final SamplingOptions GREEDY = new SamplingOptions(0, 0, 1, 0, 1, 0);

    /// Draws from the model's own distribution: temperature 1, everything else off.
    public static final SamplingOptions DEFAULT = new SamplingOptions(1, 0, 1, 0, 1, 0);

    /// Temperatures from 0 to this one are replaced by it, so that its inverse is a float. A logit that
    /// is 1e-27 below the largest already has no chance.
    private static final double LEAST_TEMPERATURE = 1e-30;

    public SamplingOptions {
        logitBias = Map.copyOf(logitBias);
        check(temperature >= 0 && temperature <= 100, "temperature", temperature, "0 (greedy) to 100");
        check(topK >= 0, "top-k", topK, "0 (off) or more");
        check(topP > 0 && topP <= 1, "top-p", topP, "above 0, up to 1 (off)");
        check(minP >= 0 && minP <= 1, "min-p", minP, "0 (off) to 1");
        check(
                repetitionPenalty > 0 && repetitionPenalty <= 100,
                "repetition penalty",
                repetitionPenalty,
                "above 0, up to 100; 1 is off");
        check(presencePenalty >= -2 && presencePenalty <= 2, "presence penalty", presencePenalty, "-2 to 2; 0 is off");
        check(
                frequencyPenalty >= -2 && frequencyPenalty <= 2,
                "frequency penalty",
                frequencyPenalty,
                "-2 to 2; 0 is off");
        logitBias.forEach((id, bias) -> {
            check(id >= 0, "a token id of the logit bias", id, "0 or more");
            check(bias >= -100 && bias <= 100, "the logit bias of token " + id, bias, "-100 to 100");
        });
    }

    /// Options without presence penalty, frequency penalty and logit bias.
    public SamplingOptions(
            double temperature, int topK, double topP, double minP, double repetitionPenalty, long seed) {
        this(temperature, topK, topP, minP, repetitionPenalty, 0, 0, Map.of(), seed);
    }

    /// True if no random draw is made.
    public boolean isGreedy() {
        return temperature == 0;
    }

    /// True if the next token is always the one with the largest logit.
    public boolean isLargestLogit() {
        return isGreedy() && !changesLogits();
    }

    /// True if logits are changed before a token is drawn.
    public boolean changesLogits() {
        return repetitionPenalty != 1 || countsGenerated() || !logitBias.isEmpty();
    }

    /// True if a penalty depends on which tokens were generated, and not on the prompt.
    boolean countsGenerated() {
        return presencePenalty != 0 || frequencyPenalty != 0;
    }

    /// What the candidates' second log sum must be computed with; 1 if no random draw is made.
    public float inverseTemperature() {
        return isGreedy() ? 1 : (float) (1 / drawTemperature());
    }

    /// The temperature of a random draw, kept away from 0.
    double drawTemperature() {
        return Math.max(temperature, LEAST_TEMPERATURE);
    }

    public SamplingOptions withTemperature(double value) {
        return new SamplingOptions(
                value, topK, topP, minP, repetitionPenalty, presencePenalty, frequencyPenalty, logitBias, seed);
    }

    public SamplingOptions withTopK(int value) {
        return new SamplingOptions(
                temperature, value, topP, minP, repetitionPenalty, presencePenalty, frequencyPenalty, logitBias, seed);
    }

    public SamplingOptions withTopP(double value) {
        return new SamplingOptions(
                temperature, topK, value, minP, repetitionPenalty, presencePenalty, frequencyPenalty, logitBias, seed);
    }

    public SamplingOptions withMinP(double value) {
        return new SamplingOptions(
                temperature, topK, topP, value, repetitionPenalty, presencePenalty, frequencyPenalty, logitBias, seed);
    }

    public SamplingOptions withRepetitionPenalty(double value) {
        return new SamplingOptions(
                temperature, topK, topP, minP, value, presencePenalty, frequencyPenalty, logitBias, seed);
    }

    public SamplingOptions withPresencePenalty(double value) {
        return new SamplingOptions(
                temperature, topK, topP, minP, repetitionPenalty, value, frequencyPenalty, logitBias, seed);
    }

    public SamplingOptions withFrequencyPenalty(double value) {
        return new SamplingOptions(
                temperature, topK, topP, minP, repetitionPenalty, presencePenalty, value, logitBias, seed);
    }

    public SamplingOptions withLogitBias(Map<Integer, Double> value) {
        return new SamplingOptions(
                temperature, topK, topP, minP, repetitionPenalty, presencePenalty, frequencyPenalty, value, seed);
    }

    public SamplingOptions withSeed(long value) {
        return new SamplingOptions(
                temperature, topK, topP, minP, repetitionPenalty, presencePenalty, frequencyPenalty, logitBias, value);
    }

    private static void check(boolean holds, String what, Number found, String expected) {
        if (!holds) {
            throw new IllegalArgumentException(what + " is " + found + "; expected " + expected);
        }
    }
}
