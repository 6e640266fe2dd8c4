package io.shadowkv.eval;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Answers gathered by task and method, in the order first met.
///
/// @param cells one a task and method
public record AccuracyTable(List<Cell> cells) {
    /// @param answers how many
    /// @param score their mean, 0 to 1
    /// @param whole how many found every reference
    /// @param prefillSeconds mean
    /// @param decodeTokensPerSecond over all decode steps; NaN without one
    public record Cell(
            String task,
            String method,
            int answers,
            double score,
            int whole,
            double prefillSeconds,
            double decodeTokensPerSecond) {}

    public AccuracyTable {
        cells = List.copyOf(cells);
    }

    public static AccuracyTable of(Collection<AnswerRecord> answers) {
        Map<List<String>, List<AnswerRecord>> groups = new LinkedHashMap<>();
        for (AnswerRecord answer : answers) {
            List<String> group = List.of(answer.key().task(), answer.key().method());
            groups.computeIfAbsent(group, _ -> new ArrayList<>()).add(answer);
        }
        return new AccuracyTable(groups.entrySet().stream()
                .map(group -> cell(group.getKey().get(0), group.getKey().get(1), group.getValue()))
                .toList());
    }

    private static Cell cell(String task, String method, List<AnswerRecord> answers) {
        double steps = answers.stream().mapToInt(AnswerRecord::decodeSteps).sum();
        double seconds =
                answers.stream().mapToDouble(AnswerRecord::decodeSeconds).sum();
        return new Cell(
                task,
                method,
                answers.size(),
                answers.stream().mapToDouble(AnswerRecord::score).average().orElse(Double.NaN),
                (int) answers.stream().filter(answer -> answer.score() == 1).count(),
                answers.stream()
                        .mapToDouble(AnswerRecord::prefillSeconds)
                        .average()
                        .orElse(Double.NaN),
                steps == 0 ? Double.NaN : steps / seconds);
    }
}
