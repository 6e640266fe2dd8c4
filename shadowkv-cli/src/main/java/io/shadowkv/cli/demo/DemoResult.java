package io.shadowkv.cli.demo;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cli.process.Machine;
import io.shadowkv.engine.MemoryPlan.SequenceBytes;
import java.util.List;

/// All that a demonstration found, for the terminal, JSON and the report.
///
/// @param setup what was asked
/// @param machine where it ran
/// @param questions in the order asked
/// @param full with full attention
/// @param shadow with ShadowKV
/// @param speeds decode speed by length, ascending
/// @param fetches what ShadowKV fetched
/// @param wallSeconds the whole demonstration
record DemoResult(
        Setup setup,
        Machine machine,
        List<Question> questions,
        Outcome full,
        Outcome shadow,
        List<Speed> speeds,
        FetchMap fetches,
        double wallSeconds) {
    /// @param model name
    /// @param weightBytes of the model
    /// @param textTokens tokens of the first turn, text and question
    /// @param tokens limit given for everything
    /// @param seed of needles and places
    /// @param kvType type of keys and values
    /// @param backend its name
    /// @param backendReason why it was chosen
    /// @param shadow ShadowKV's parameters
    record Setup(
            String model,
            long weightBytes,
            int textTokens,
            int tokens,
            long seed,
            String kvType,
            String backend,
            String backendReason,
            KvCacheSpec.Shadow shadow) {}

    /// @param text the question alone
    /// @param key what is asked for
    /// @param expected the answer
    /// @param position token position of the sentence that answers it
    record Question(String text, String key, String expected, int position) {}

    /// One method's run.
    ///
    /// @param answers in the questions' order
    /// @param prefillSeconds reading the text
    /// @param sealSeconds part of it beyond exact attention
    /// @param turnSeconds reading all later questions
    /// @param speed decode speed after the last answer, tokens per second of the median step
    /// @param planned bytes by part
    /// @param measured bytes in all
    /// @param hitRate of selected chunks; NaN without selection
    /// @param keptWhole true if ShadowKV had nothing to select
    record Outcome(
            List<Answer> answers,
            double prefillSeconds,
            double sealSeconds,
            double turnSeconds,
            double speed,
            SequenceBytes planned,
            SequenceBytes measured,
            double hitRate,
            boolean keptWhole) {
        int right() {
            return (int) answers.stream().filter(Answer::isRight).count();
        }
    }

    /// @param text what the model wrote
    /// @param isRight true if it contains what was expected
    record Answer(String text, boolean isRight) {}

    /// Decode tokens per second of the median step at a length.
    record Speed(int tokens, double full, double shadow) {}

    double speedup() {
        return shadow.speed() / full.speed();
    }

    double residentFactor() {
        return (double) full.measured().resident() / shadow.measured().resident();
    }
}
