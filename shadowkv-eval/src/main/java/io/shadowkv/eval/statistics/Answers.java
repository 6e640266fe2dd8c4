package io.shadowkv.eval.statistics;

import io.shadowkv.eval.Method;
import io.shadowkv.eval.run.AnswerRecord;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Answers of one method to one task in one setting, by sample.
///
/// Turns of one sample share a text, so a sample is one observation: the mean over its turns.
public final class Answers {
    private final String task;
    private final Method method;
    private final SortedMap<SampleId, SortedMap<Integer, AnswerRecord>> samples = new TreeMap<>();
    private final List<AnswerRecord> thoughts = new ArrayList<>();

    /// Identifies a sample of a task.
    public record SampleId(int contextTokens, long seed, int index) implements Comparable<SampleId> {
        private static final Comparator<SampleId> ORDER = Comparator.comparingInt(SampleId::contextTokens)
                .thenComparingLong(SampleId::seed)
                .thenComparingInt(SampleId::index);

        static SampleId of(AnswerRecord.Key key) {
            return new SampleId(key.contextTokens(), key.seed(), key.index());
        }

        @Override
        public int compareTo(SampleId other) {
            return ORDER.compare(this, other);
        }
    }

    Answers(String task, Method method) {
        this.task = task;
        this.method = method;
    }

    void add(AnswerRecord answer) {
        if (!answer.isJudged()) {
            thoughts.add(answer);
            return;
        }
        samples.computeIfAbsent(SampleId.of(answer.key()), _ -> new TreeMap<>())
                .put(answer.key().turn(), answer);
    }

    public String task() {
        return task;
    }

    public Method method() {
        return method;
    }

    /// Answers by sample and turn.
    public SortedMap<SampleId, SortedMap<Integer, AnswerRecord>> samples() {
        return samples;
    }

    /// The answers that have a score.
    public List<AnswerRecord> records() {
        return samples.values().stream()
                .flatMap(turns -> turns.values().stream())
                .toList();
    }

    /// All generated answers: those with a score, and those that a later turn quotes.
    public List<AnswerRecord> computed() {
        return Stream.concat(thoughts.stream(), records().stream()).toList();
    }

    /// The mean over samples of the mean over their turns.
    public Estimate mean(ToDoubleFunction<AnswerRecord> score) {
        return Intervals.mean(samples.values().stream()
                .mapToDouble(turns ->
                        turns.values().stream().mapToDouble(score).average().orElseThrow())
                .toArray());
    }

    /// The name of the task's own metric; if its turns have several metrics, all names.
    public String metric() {
        return records().stream()
                .map(answer -> answer.scores().keySet().iterator().next())
                .distinct()
                .collect(Collectors.joining(", "));
    }

    /// The name of the paper's variant, if every answer has a score by it.
    public Optional<String> paperMetric() {
        Optional<String> name = records().getFirst().scores().keySet().stream()
                .filter(metric -> metric.startsWith(PAPER))
                .findFirst();
        return name.filter(
                metric -> records().stream().allMatch(answer -> answer.scores().containsKey(metric)));
    }

    /// Prefix of the names of the paper's variants.
    public static final String PAPER = "paper:";
}
