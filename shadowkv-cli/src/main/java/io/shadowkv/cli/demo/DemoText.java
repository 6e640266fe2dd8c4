package io.shadowkv.cli.demo;

import io.shadowkv.engine.serve.Engine;
import io.shadowkv.eval.PromptFormat;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.needle.NeedleSampler;
import io.shadowkv.eval.needle.NeedleTask;
import io.shadowkv.eval.needle.NeedleText;
import io.shadowkv.eval.needle.WordList;
import io.shadowkv.eval.text.RunningText;
import java.util.ArrayList;
import java.util.List;

/// The text with needles, the questions about it, and the positions of the answers.
///
/// @param format wraps turns for the model
/// @param hidden the text, its needles and its questions
/// @param questions one question per turn
/// @param textTokens tokens of the first turn
record DemoText(PromptFormat format, NeedleText hidden, List<DemoResult.Question> questions, int textTokens) {
    /// RULER's task with several keys in running text; the keys that are not asked for are
    /// distractors.
    private static final NeedleTask TASK = NeedleTask.named("niah_multikey_1");

    /// @param engine any engine of the model
    /// @param size limits of text, questions and answers
    static DemoText make(Engine engine, RunningText text, WordList words, Size size) {
        PromptFormat format = PromptFormat.of(engine);
        var sampler = new NeedleSampler(format, text, words);
        NeedleText hidden = sampler.sample(
                TASK, size.seed(), 0, new NeedleSampler.Size(size.tokens(), size.questions() - 1, size.answerTokens()));
        Sample sample = hidden.sample();
        Sample.Turn first = sample.turns().getFirst();
        List<DemoResult.Question> questions = new ArrayList<>();
        for (Sample.Turn turn : sample.turns()) {
            NeedleText.Needle needle = hidden.needles().stream()
                    .filter(candidate ->
                            candidate.value().equals(turn.references().getFirst()))
                    .findFirst()
                    .orElseThrow();
            String before = first.user().substring(0, first.user().indexOf(needle.sentence()));
            questions.add(new DemoResult.Question(
                    turn.question(), needle.key(), needle.value(), format.first(before, "").length));
        }
        return new DemoText(format, hidden, questions, format.turn(first, -1).length);
    }

    /// The limits of a demo.
    ///
    /// @param tokens limit of text, questions and answers together
    /// @param questions number of questions, at least one
    /// @param answerTokens tokens reserved for each answer
    /// @param seed seed of the needles and their places
    record Size(int tokens, int questions, int answerTokens, long seed) {}
}
