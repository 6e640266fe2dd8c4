package io.shadowkv.cli.bench.load;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;

/// The figures of a run, defined as in vLLM's `bench serve`. Latencies are milliseconds.
///
/// @param completed number of whole answers
/// @param errors number of failures by kind
/// @param interrupted requests that were stopped because the run was interrupted
/// @param seconds from the first arrival to the end of the last answer
/// @param promptTokens tokens of the prompts of whole answers
/// @param cachedTokens those that were not read again
/// @param answerTokens tokens of whole answers
/// @param goodRequests whole answers that meet the goal
/// @param firstToken time to first token (TTFT), from the scheduled arrival
/// @param perToken mean time per output token of an answer, without the first (TPOT)
/// @param gap time between two parts of an answer (ITL)
/// @param endToEnd time from the scheduled arrival to the end of the answer (E2EL)
/// @param sendDelay time from the scheduled arrival until the request was sent; large values mean that
///     the generator was too slow
/// @param peakRequests largest number of requests at a time
public record LoadSummary(
        int completed,
        Map<String, Integer> errors,
        int interrupted,
        double seconds,
        long promptTokens,
        long cachedTokens,
        long answerTokens,
        int goodRequests,
        Spread firstToken,
        Spread perToken,
        Spread gap,
        Spread endToEnd,
        Spread sendDelay,
        int peakRequests) {
    private static final double NANOS = 1e9;
    private static final double MILLIS = 1e6;

    public LoadSummary {
        errors = Map.copyOf(errors);
    }

    public static LoadSummary of(List<AnswerRecord> records, Goal goal) {
        Map<String, Integer> errors = new TreeMap<>();
        int interrupted = 0;
        for (AnswerRecord record : records) {
            if (record.error().equals(AnswerRecord.INTERRUPTED)) {
                interrupted++;
            } else if (!record.isComplete()) {
                errors.merge(record.error().isEmpty() ? "empty answer" : record.error(), 1, Integer::sum);
            }
        }
        List<AnswerRecord> whole =
                records.stream().filter(AnswerRecord::isComplete).toList();
        long start = records.stream().mapToLong(AnswerRecord::scheduled).min().orElse(0);
        long end = records.stream().mapToLong(AnswerRecord::ended).max().orElse(0);
        return new LoadSummary(
                whole.size(),
                errors,
                interrupted,
                (end - start) / NANOS,
                whole.stream().mapToLong(AnswerRecord::promptTokens).sum(),
                whole.stream().mapToLong(AnswerRecord::cachedTokens).sum(),
                whole.stream().mapToLong(AnswerRecord::answerTokens).sum(),
                (int) whole.stream().filter(goal::isMetBy).count(),
                spread(whole, AnswerRecord::firstTokenNanos),
                spread(whole, AnswerRecord::perTokenNanos),
                Spread.of(whole.stream().flatMapToDouble(LoadSummary::gaps)),
                spread(whole, AnswerRecord::endToEndNanos),
                spread(records, record -> record.sent() - record.scheduled()),
                peak(records));
    }

    private static Spread spread(List<AnswerRecord> records, ToDoubleFunction<AnswerRecord> nanos) {
        return Spread.of(records.stream().mapToDouble(record -> nanos.applyAsDouble(record) / MILLIS));
    }

    private static DoubleStream gaps(AnswerRecord record) {
        long[] at = record.arrivals();
        double[] gaps = new double[Math.max(0, at.length - 1)];
        for (int i = 0; i < gaps.length; i++) {
            gaps[i] = (at[i + 1] - at[i]) / MILLIS;
        }
        return DoubleStream.of(gaps);
    }

    private static int peak(List<AnswerRecord> records) {
        record Change(long time, int by) {}
        List<Change> changes = new ArrayList<>();
        for (AnswerRecord record : records) {
            changes.add(new Change(record.sent(), 1));
            changes.add(new Change(record.ended(), -1));
        }
        // Of changes at one time, ends come first.
        changes.sort(Comparator.comparingLong(Change::time).thenComparingInt(Change::by));
        int running = 0;
        int peak = 0;
        for (Change change : changes) {
            running += change.by();
            peak = Math.max(peak, running);
        }
        return peak;
    }

    public int failed() {
        return errors.values().stream().mapToInt(Integer::intValue).sum();
    }

    /// Whole answers per second.
    public double requestThroughput() {
        return perSecond(completed);
    }

    /// Whole answers per second that meet the goal.
    public double goodput() {
        return perSecond(goodRequests);
    }

    /// Generated tokens per second.
    public double outputThroughput() {
        return perSecond(answerTokens);
    }

    /// Tokens of prompts and answers per second.
    public double totalThroughput() {
        return perSecond(promptTokens + answerTokens);
    }

    private double perSecond(long count) {
        return seconds > 0 ? count / seconds : Double.NaN;
    }
}
