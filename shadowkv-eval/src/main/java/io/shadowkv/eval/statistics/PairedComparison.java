package io.shadowkv.eval.statistics;

import io.shadowkv.eval.run.AnswerRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.function.ToDoubleFunction;

/// Compares a method with full attention on the samples that both answered.
///
/// @param difference the method's score minus full attention's, paired by sample
/// @param better number of samples where the method scored higher
/// @param worse number of samples where it scored lower
/// @param equalAnswers number of turns whose answers have the same ids
/// @param answers number of turns compared
/// @param otherPrompts number of samples left out because the two methods had different prompts
public record PairedComparison(
        Estimate difference, int better, int worse, int equalAnswers, int answers, int otherPrompts) {
    /// Scores closer than this are equal.
    private static final double SAME = 1e-9;

    static PairedComparison of(Answers full, Answers method, ToDoubleFunction<AnswerRecord> score) {
        List<Double> differences = new ArrayList<>();
        int equal = 0;
        int compared = 0;
        int otherPrompts = 0;
        for (Map.Entry<Answers.SampleId, SortedMap<Integer, AnswerRecord>> entry :
                method.samples().entrySet()) {
            SortedMap<Integer, AnswerRecord> other = full.samples().get(entry.getKey());
            SortedMap<Integer, AnswerRecord> own = entry.getValue();
            if (other == null || !other.keySet().equals(own.keySet())) {
                continue;
            }
            // Compares first turns only: later prompts may contain the method's own answers.
            AnswerRecord first = own.firstEntry().getValue();
            if (!first.promptHash().equals(other.firstEntry().getValue().promptHash())) {
                otherPrompts++;
                continue;
            }
            double sum = 0;
            for (AnswerRecord answer : own.values()) {
                AnswerRecord judge = other.get(answer.key().turn());
                if (judge == null) {
                    throw new IllegalStateException("turns of " + entry.getKey() + " changed while compared");
                }
                sum += score.applyAsDouble(answer) - score.applyAsDouble(judge);
                equal += answer.answerIds().equals(judge.answerIds()) ? 1 : 0;
                compared++;
            }
            differences.add(sum / own.size());
        }
        double[] values = differences.stream().mapToDouble(d -> d).toArray();
        return new PairedComparison(
                Intervals.difference(values),
                (int) differences.stream().filter(d -> d > SAME).count(),
                (int) differences.stream().filter(d -> d < -SAME).count(),
                equal,
                compared,
                otherPrompts);
    }

    /// Combines tasks: each has the same weight in the difference, counts are added.
    static PairedComparison average(List<PairedComparison> tasks) {
        return new PairedComparison(
                Intervals.average(
                        tasks.stream().map(PairedComparison::difference).toList()),
                tasks.stream().mapToInt(PairedComparison::better).sum(),
                tasks.stream().mapToInt(PairedComparison::worse).sum(),
                tasks.stream().mapToInt(PairedComparison::equalAnswers).sum(),
                tasks.stream().mapToInt(PairedComparison::answers).sum(),
                tasks.stream().mapToInt(PairedComparison::otherPrompts).sum());
    }

    /// Share of answers with the same ids; NaN if none were compared.
    public double agreement() {
        return answers == 0 ? Double.NaN : equalAnswers / (double) answers;
    }
}
