package io.shadowkv.eval.needle;

import io.shadowkv.eval.PromptFormat;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.text.RunningText;
import java.util.List;

/// Makes needle tasks of a given length. The same seed and index give the same sample on any
/// machine.
///
/// Differs from RULER's generator in the unit of the filler: running text is cut between sentences
/// instead of words, so a sample is up to one sentence shorter.
public final class NeedleSampler {
    /// Room for an answer, as in RULER.
    static final int NEW_TOKENS = 128;

    private final PromptFormat format;
    private final RunningText text;
    private final WordList words;

    /// Creates a sampler.
    ///
    /// @param format adds the template to the questions; the tokens that it returns are counted
    /// @param text running text for the tasks with this kind of haystack
    /// @param words the words that keys are made of
    public NeedleSampler(PromptFormat format, RunningText text, WordList words) {
        this.format = format;
        this.text = text;
        this.words = words;
    }

    /// The length of a sample.
    ///
    /// @param totalTokens maximum tokens of prompt, further turns and all answers together
    /// @param furtherQuestions questions after the first, each about another key of the same text
    /// @param maxNewTokens maximum length of each answer
    public record Size(int totalTokens, int furtherQuestions, int maxNewTokens) {
        public Size {
            if (totalTokens < 1 || furtherQuestions < 0 || maxNewTokens < 1) {
                throw new IllegalArgumentException("a sample of " + totalTokens + " tokens with " + furtherQuestions
                        + " further questions and answers of " + maxNewTokens
                        + " tokens; expected at least 1 token, 0 questions and 1 token");
            }
        }
    }

    /// Makes the sample with as many filler units as fit.
    ///
    /// @throws IllegalArgumentException if the needles alone do not fit
    public NeedleText sample(NeedleTask task, long seed, int index, Size size) {
        var layout = NeedleLayout.of(task, seed, index, size.furtherQuestions(), text, words);
        int least = layout.leastUnits();
        NeedleText smallest = build(layout, index, size, least);
        if (smallest.totalTokens() > size.totalTokens()) {
            throw new IllegalArgumentException(
                    "a sample of %s with %,d questions needs at least %,d tokens; %,d were allowed"
                            .formatted(
                                    task.name(),
                                    1 + size.furtherQuestions(),
                                    smallest.totalTokens(),
                                    size.totalTokens()));
        }
        return largest(layout, index, size, smallest);
    }

    /// Estimates the size from the remaining room until the limit is between two neighbouring
    /// sizes.
    private NeedleText largest(NeedleLayout layout, int index, Size size, NeedleText smallest) {
        int fits = layout.leastUnits();
        int exceeds = Integer.MAX_VALUE;
        NeedleText best = smallest;
        int units = fits + 64;
        while (exceeds - fits > 1) {
            units = Math.clamp(units, fits + 1, exceeds - 1);
            NeedleText sample = build(layout, index, size, units);
            int room = size.totalTokens() - sample.totalTokens();
            if (room >= 0) {
                fits = units;
                best = sample;
            } else {
                exceeds = units;
            }
            double tokensPerUnit =
                    (double) (sample.totalTokens() - smallest.totalTokens()) / (units - layout.leastUnits());
            int step = (int) (room / Math.max(1, tokensPerUnit));
            units += step != 0 ? step : room >= 0 ? 1 : -1;
        }
        return best;
    }

    private NeedleText build(NeedleLayout layout, int index, Size size, int units) {
        NeedleLayout.Filled filled = layout.fill(units);
        List<Sample.Turn> turns = filled.turns().stream()
                .map(turn -> turn.withMaxNewTokens(size.maxNewTokens()))
                .toList();
        int total = turns.size() * size.maxNewTokens();
        for (int i = 0; i < turns.size(); i++) {
            Sample.Turn turn = turns.get(i);
            int[] ids = i == 0
                    ? format.first(turn.user(), turn.answerPrefix())
                    : format.next(turn.user(), turn.answerPrefix());
            total += ids.length;
        }
        return new NeedleText(new Sample(layout.task().name(), index, turns), filled.needles(), total);
    }
}
