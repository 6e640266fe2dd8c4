package io.shadowkv.eval.run;

import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Metric;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.metric.RulerMetrics;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;

/// Tasks of made-up samples for an examiner.
final class MadeTasks {
    /// The share of letters in the answer, so that different answers have different scores.
    static final Metric LETTERS = new Metric() {
        @Override
        public String name() {
            return "letters";
        }

        @Override
        public double score(String answer, List<String> references) {
            return (double) answer.chars().filter(Character::isLetter).count() / (1 + answer.length());
        }
    };

    private MadeTasks() {}

    /// A task whose samples have the given history.
    record Task(String name, Sample.History history, List<List<String>> turns) implements EvalTask {
        @Override
        public int size() {
            return turns.size();
        }

        @Override
        public Sample sample(int index) {
            List<Sample.Turn> asked = new ArrayList<>();
            for (String user : turns.get(index)) {
                boolean isContext = history == Sample.History.SHARED_CONTEXT && asked.isEmpty();
                List<Metric> metrics = isContext ? List.of() : List.of(LETTERS, RulerMetrics.STRING_MATCH_ALL);
                asked.add(new Sample.Turn(user, user, ">", List.of("e"), 6, List.of(), metrics));
            }
            return new Sample(name, index, asked, Sample.Wrapping.CHAT, history, Map.of("depth", "5"));
        }
    }

    /// A task with samples from a function.
    record Made(int size, IntFunction<Sample> samples) implements EvalTask {
        @Override
        public String name() {
            return "t/single";
        }

        @Override
        public Sample sample(int index) {
            return samples.apply(index);
        }
    }
}
