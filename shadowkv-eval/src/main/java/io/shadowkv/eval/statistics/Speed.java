package io.shadowkv.eval.statistics;

import io.shadowkv.eval.run.AnswerRecord;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.ToDoubleFunction;

/// The costs of answers. Times are medians over answers, the others are means; NaN if nothing was
/// measured.
///
/// @param hitRate share of selected chunks that were resident
/// @param residentBytes device memory of a sequence
/// @param offloadedBytes host memory of a sequence
/// @param firstTokenSeconds time to the first token of a first turn
/// @param sealSeconds the part of it that the method adds to the reading
/// @param secondsPerToken time of a decode step
/// @param tokensPerSecond of all sequences of a batch
/// @param prefillDensity share of attention that was computed while prompts were read sparsely; NaN if
///     none was
public record Speed(
        double hitRate,
        double residentBytes,
        double offloadedBytes,
        double firstTokenSeconds,
        double sealSeconds,
        double secondsPerToken,
        double tokensPerSecond,
        int leastBatch,
        int mostBatch,
        double prefillDensity) {
    public static Speed of(List<AnswerRecord> answers) {
        List<AnswerRecord> first =
                answers.stream().filter(answer -> answer.key().turn() == 0).toList();
        List<AnswerRecord> decoded =
                answers.stream().filter(answer -> answer.decodeSteps() > 0).toList();
        return new Speed(
                answers.stream()
                        .map(AnswerRecord::hitRate)
                        .filter(Objects::nonNull)
                        .mapToDouble(rate -> rate)
                        .average()
                        .orElse(Double.NaN),
                answers.stream()
                        .mapToLong(AnswerRecord::residentBytes)
                        .average()
                        .orElse(Double.NaN),
                answers.stream()
                        .mapToLong(AnswerRecord::offloadedBytes)
                        .average()
                        .orElse(Double.NaN),
                median(first, AnswerRecord::prefillSeconds),
                median(first, AnswerRecord::sealSeconds),
                median(decoded, answer -> answer.decodeSeconds() / answer.decodeSteps()),
                median(decoded, answer -> answer.batch() * answer.decodeSteps() / answer.decodeSeconds()),
                answers.stream().mapToInt(AnswerRecord::batch).min().orElse(0),
                answers.stream().mapToInt(AnswerRecord::batch).max().orElse(0),
                answers.stream()
                        .map(AnswerRecord::prefillDensity)
                        .filter(Objects::nonNull)
                        .mapToDouble(share -> share)
                        .average()
                        .orElse(Double.NaN));
    }

    private static double median(List<AnswerRecord> answers, ToDoubleFunction<AnswerRecord> value) {
        double[] sorted = answers.stream().mapToDouble(value).toArray();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        if (sorted.length == 0) {
            return Double.NaN;
        }
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
