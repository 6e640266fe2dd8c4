package io.shadowkv.cli.demo;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cli.process.Machine;
import io.shadowkv.engine.MemoryPlan.SequenceBytes;
import java.util.List;

/// All results of a demo, for the terminal, JSON and the report.
///
/// @param setup the settings
/// @param machine the machine it ran on
/// @param questions in the order asked
/// @param full results of full attention
/// @param shadow results of ShadowKV
/// @param speeds decode speed by length, ascending
/// @param fetches the chunks that ShadowKV fetched
/// @param wallSeconds time of the whole demo
record DemoResult(
        Setup setup,
        Machine machine,
        List<Question> questions,
        Outcome full,
        Outcome shadow,
        List<Speed> speeds,
        FetchMap fetches,
        double wallSeconds) {
    /// The settings of a demo.
    ///
    /// @param model name of the model
    /// @param weightBytes size of the model's weights
    /// @param textTokens tokens of the first turn, text and question
    /// @param tokens limit for text, questions and answers
    /// @param seed seed of the needles and their places
    /// @param kvType type of keys and values
    /// @param backend name of the backend
    /// @param backendReason why it was chosen
    /// @param shadow ShadowKV's parameters
    /// @param prefill how both methods read the text
    record Setup(
            String model,
            long weightBytes,
            int textTokens,
            int tokens,
            long seed,
            String kvType,
            String backend,
            String backendReason,
            KvCacheSpec.Shadow shadow,
            String prefill) {}

    /// A question.
    ///
    /// @param text the question alone
    /// @param key the word that identifies the hidden number
    /// @param expected the answer
    /// @param position token position of the sentence that contains the answer
    record Question(String text, String key, String expected, int position) {}

    /// The results of one method.
    ///
    /// @param answers in the order of the questions
    /// @param prefillSeconds time to read the text
    /// @param sealSeconds the part of it that indexing adds to the reading
    /// @param turnSeconds time to read all later questions
    /// @param speed decode speed after the last answer, tokens per second of the median step
    /// @param planned planned bytes by part
    /// @param measured measured bytes in total
    /// @param hitRate hit rate of selected chunks; NaN if nothing was selected
    /// @param keptWhole true if the text fits the resident set, so that ShadowKV selected nothing
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

    /// An answer of the model.
    ///
    /// @param text the text of the answer
    /// @param isRight true if it contains the expected number
    record Answer(String text, boolean isRight) {}

    /// Decode speed at a length, in tokens per second of the median step.
    record Speed(int tokens, double full, double shadow) {}

    double speedup() {
        return shadow.speed() / full.speed();
    }

    double residentFactor() {
        return (double) full.measured().resident() / shadow.measured().resident();
    }
}
