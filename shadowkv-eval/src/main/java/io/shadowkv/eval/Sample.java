package io.shadowkv.eval;

import java.util.List;

/// One text with questions whose answers are known.
///
/// @param task the task's name
/// @param index number of the sample within the task, from 0
/// @param turns the questions in order, at least one; the first carries the text
/// @param needles what is hidden, in the order of the text
/// @param maxNewTokens tokens an answer may have
/// @param totalTokens tokens of all turns with their wrapping, and of answers of `maxNewTokens` each
public record Sample(
        String task, int index, List<Turn> turns, List<Needle> needles, int maxNewTokens, int totalTokens) {
    public Sample {
        turns = List.copyOf(turns);
        needles = List.copyOf(needles);
    }

    /// A question and the beginning of its answer, which the model continues.
    ///
    /// @param user what the user says; the first turn's includes the text
    /// @param question the question alone
    /// @param answerPrefix beginning of the assistant's answer
    /// @param references strings that a right answer contains
    public record Turn(String user, String question, String answerPrefix, List<String> references) {
        public Turn {
            references = List.copyOf(references);
        }
    }

    /// A sentence hidden in the text.
    ///
    /// @param key what it is asked by
    /// @param value what is to be found
    /// @param sentence as it stands in the text
    /// @param depth share of the filler before it, 0 to 1
    public record Needle(String key, String value, String sentence, double depth) {
        static Needle of(NeedleKind values, String key, String value) {
            return new Needle(key, value, NeedlePrompts.needle(values, key, value), 0);
        }

        Needle atDepth(double share) {
            return new Needle(key, value, sentence, share);
        }
    }
}
