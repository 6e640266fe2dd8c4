package io.shadowkv.examples;

import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Metric;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.Suite;
import io.shadowkv.eval.TaskContext;
import java.util.List;
import java.util.Random;

/// An evaluation suite of one's own. Its jar also has a file `META-INF/services/io.shadowkv.eval.Suite` with this
/// class's
/// name; then `SHADOWKV_MODULE_PATH=examples.jar shadowkv eval MODEL --data own` asks it.
public final class OwnSuite implements Suite {
    @Override
    public String name() {
        return "own";
    }

    @Override
    public List<String> tasks() {
        return List.of("number");
    }

    @Override
    public String description() {
        return "a number said once, asked for at the end";
    }

    @Override
    public EvalTask open(String task, TaskContext context) {
        checkTask(task);
        return new NumberTask(name() + "/" + task, context.seed());
    }

    /// The same index gives the same sample in every process, whatever was asked before.
    private record NumberTask(String name, long seed) implements EvalTask {
        @Override
        public int size() {
            return Integer.MAX_VALUE;
        }

        @Override
        public Sample sample(int index) {
            String number = Integer.toString(1_000_000 + new Random(seed + index).nextInt(9_000_000));
            String text =
                    "A special magic number is hidden within the following text. Make sure to memorize it. I will quiz"
                            + " you about the number afterwards.\nThe grass is green. The sky is blue. The sun is yellow.\nOne of the"
                            + " special magic numbers for early-dawn is: " + number
                            + ".\nHere we go. There and back again.\n";
            String question = "What is the special magic number for early-dawn mentioned in the provided text?";
            return new Sample(
                    name,
                    index,
                    List.of(new Sample.Turn(
                            text + question, question, "", List.of(number), 32, List.of(), List.of(new Contains()))));
        }
    }

    /// 1 if the answer has the reference somewhere in it.
    private record Contains() implements Metric {
        @Override
        public String name() {
            return "contains";
        }

        @Override
        public double score(String answer, List<String> references) {
            return references.stream().anyMatch(answer::contains) ? 1 : 0;
        }
    }
}
