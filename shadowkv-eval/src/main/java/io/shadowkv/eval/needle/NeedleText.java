package io.shadowkv.eval.needle;

import io.shadowkv.eval.Sample;
import java.util.List;

/// A sample with the needles in its text.
///
/// @param sample the text and its questions
/// @param needles the needles in the order of the text
/// @param totalTokens tokens of all turns with their template, and of answers of maximum length
public record NeedleText(Sample sample, List<Needle> needles, int totalTokens) {
    public NeedleText {
        needles = List.copyOf(needles);
    }

    /// A sentence hidden in the text.
    ///
    /// @param key what the question names
    /// @param value the answer
    /// @param sentence the sentence in the text
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
