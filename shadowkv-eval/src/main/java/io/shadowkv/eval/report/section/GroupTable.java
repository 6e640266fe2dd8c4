package io.shadowkv.eval.report.section;

import io.shadowkv.eval.Method;
import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.statistics.Estimate;
import io.shadowkv.eval.statistics.Grid;
import io.shadowkv.eval.statistics.Intervals;
import io.shadowkv.eval.statistics.Numbers;
import io.shadowkv.eval.statistics.ScoreGroups;
import io.shadowkv.report.page.Page.Cell;
import io.shadowkv.report.page.Page.Column;
import io.shadowkv.report.page.Page.Row;
import io.shadowkv.report.page.Page.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Scores by the groups that a suite's own script prints.
final class GroupTable {
    private GroupTable() {}

    /// Empty if the script prints only one mean for each task.
    static Optional<Table> of(Grid grid) {
        List<Method> methods = grid.methods();
        List<AnswerRecord> answers = methods.stream()
                .flatMap(method -> grid.answers(method).stream())
                .flatMap(ofTask -> ofTask.records().stream())
                .toList();
        List<ScoreGroups.Group> groups = ScoreGroups.of(answers);
        if (groups.isEmpty()) {
            return Optional.empty();
        }
        List<Column> columns = new ArrayList<>(
                List.of(Column.text("of"), Column.text("group"), Column.text("metric"), Column.number("answers")));
        methods.forEach(method -> columns.add(Column.number(method.label())));
        List<Row> rows = groups.stream().map(group -> row(group, methods)).toList();
        String note = grid.suite().startsWith("longbench-v2")
                ? "Overall is the published number: the mean over all questions. The average above gives"
                        + " each length the same weight."
                : "";
        return Optional.of(new Table(
                "Score in percent by the groups that the suite's own script prints, means over answers",
                columns,
                rows,
                note));
    }

    private static Row row(ScoreGroups.Group group, List<Method> methods) {
        List<double[]> scores = methods.stream().map(group::scores).toList();
        List<Cell> cells = new ArrayList<>();
        cells.add(new Cell(Grid.shortName(group.of())));
        cells.add(new Cell(group.name()));
        cells.add(new Cell(group.metric()));
        cells.add(new Cell(Numbers.range(
                scores.stream().mapToInt(some -> some.length).min().orElse(0),
                scores.stream().mapToInt(some -> some.length).max().orElse(0))));
        scores.forEach(some -> cells.add(Numbers.score(some.length == 0 ? Estimate.NONE : Intervals.mean(some))));
        return new Row(Row.Kind.PLAIN, cells);
    }
}
