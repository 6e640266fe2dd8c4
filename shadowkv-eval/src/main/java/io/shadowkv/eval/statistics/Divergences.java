package io.shadowkv.eval.statistics;

import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.run.AnswerRecord.Divergence;
import java.util.List;
import java.util.Objects;

/// Next-token distributions compared with full attention's, over many answers; every position has
/// the same weight.
///
/// @param positions number of positions compared; if 0, the other values are NaN
public record Divergences(long positions, double meanKl, double maxKl, double topOneAgreement) {
    public static Divergences of(List<AnswerRecord> answers) {
        List<Divergence> measured = answers.stream()
                .map(AnswerRecord::divergence)
                .filter(Objects::nonNull)
                .toList();
        long positions = measured.stream().mapToLong(Divergence::positions).sum();
        if (positions == 0) {
            return new Divergences(0, Double.NaN, Double.NaN, Double.NaN);
        }
        return new Divergences(
                positions,
                measured.stream().mapToDouble(d -> d.positions() * d.meanKl()).sum() / positions,
                measured.stream().mapToDouble(Divergence::maxKl).max().orElseThrow(),
                measured.stream()
                                .mapToDouble(d -> d.positions() * d.topOneAgreement())
                                .sum()
                        / positions);
    }
}
