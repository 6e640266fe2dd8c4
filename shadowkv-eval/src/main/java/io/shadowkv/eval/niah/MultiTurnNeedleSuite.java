package io.shadowkv.eval.niah;

import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.Suite;
import io.shadowkv.eval.TaskContext;
import io.shadowkv.eval.needle.NeedleSampler;
import io.shadowkv.eval.needle.NeedleTask;
import io.shadowkv.eval.needle.WordList;
import io.shadowkv.eval.text.HaystackFile;
import io.shadowkv.eval.text.RunningText;
import java.util.List;
import java.util.Map;

/// RULER's `niah_multikey_1` text with several questions: every turn asks for another key and uses
/// the cache with the previous turns, including the model's own answers.
public final class MultiTurnNeedleSuite implements Suite {
    private static final String TASK = "niah_multikey_1";
    private static final int TURNS = 4;

    /// Room for each answer, as in RULER.
    private static final int NEW_TOKENS = 128;

    private final int turns;

    /// Creates the suite with four turns.
    public MultiTurnNeedleSuite() {
        this(TURNS);
    }

    /// Creates the suite.
    ///
    /// @param turns questions about one text, at least two
    public MultiTurnNeedleSuite(int turns) {
        if (turns < 2) {
            throw new IllegalArgumentException("needle-turns was asked for " + turns
                    + " turns; expected two or more. For one turn, use ruler/niah_multikey_1");
        }
        this.turns = turns;
    }

    @Override
    public String name() {
        return "needle-turns";
    }

    @Override
    public List<String> tasks() {
        return List.of(TASK);
    }

    @Override
    public EvalTask open(String task, TaskContext context) {
        checkTask(task);
        var text = context.options().haystack() == null
                ? RunningText.kingJames()
                : RunningText.of(HaystackFile.read(context.options().haystack()));
        var sampler = new NeedleSampler(context.format(), text, WordList.bundled());
        return new Task(name() + "/" + task, sampler, context, turns);
    }

    private record Task(String name, NeedleSampler sampler, TaskContext context, int turns) implements EvalTask {
        @Override
        public int size() {
            return Integer.MAX_VALUE;
        }

        @Override
        public Sample sample(int index) {
            var size = new NeedleSampler.Size(context.contextTokens(), turns - 1, NEW_TOKENS);
            Sample made = sampler.sample(NeedleTask.named(TASK), context.seed(), index, size)
                    .sample();
            return new Sample(
                    name,
                    index,
                    made.turns(),
                    Sample.Wrapping.CHAT,
                    Sample.History.CONVERSATION,
                    Map.of("length", Integer.toString(context.contextTokens()), "turns", Integer.toString(turns)));
        }
    }
}
