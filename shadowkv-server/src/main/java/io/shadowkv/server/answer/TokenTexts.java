package io.shadowkv.server.answer;

import java.util.function.IntFunction;

/// Writes single tokens as text, for log probabilities. Thread-safe if the decoder is.
///
/// @param decoder gives the text of a token; bytes that are not a whole character become U+FFFD
public record TokenTexts(IntFunction<String> decoder) {
    /// What OpenAI's API writes for a probability of zero.
    private static final double LEAST_LOGPROB = -9999;

    String of(int id) {
        return decoder.apply(id);
    }

    /// False if a text stands for bytes that are a part of a character.
    static boolean isWhole(String text) {
        return text.indexOf('\uFFFD') < 0;
    }

    /// A log probability that JSON can express.
    static double finite(double logprob) {
        return Math.max(LEAST_LOGPROB, logprob);
    }
}
