package io.shadowkv.eval.report.section;

import io.shadowkv.eval.Method;
import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.statistics.Answers;
import io.shadowkv.eval.statistics.Estimate;
import io.shadowkv.eval.statistics.Grid;
import io.shadowkv.eval.statistics.Numbers;
import io.shadowkv.report.page.Page.Cell;
import io.shadowkv.report.page.Page.Column;
import io.shadowkv.report.page.Page.Row;
import io.shadowkv.report.page.Page.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/// Scores by task and method.
final class ScoreTables {
    private ScoreTables() {}

    /// Scores by the tasks' own metrics.
    static Table official(Grid grid) {
        return table(
                grid,
                "Score in percent by each task's own metric, 95 % confidence interval below",
                grid.tasks(),
                Answers::metric,
                answers -> answers.mean(AnswerRecord::score),
                missing(grid));
    }

    /// Scores by the variants in the paper's code; empty if no task has one for every method.
    static Optional<Table> paper(Grid grid) {
        List<String> tasks = grid.tasks().stream()
                .filter(task ->
                        answers(grid, task).allMatch(a -> a.paperMetric().isPresent()))
                .toList();
        return tasks.isEmpty()
                ? Optional.empty()
                : Optional.of(table(
                        grid,
                        "Score in percent with the paper's own metrics, only for comparison with its tables",
                        tasks,
                        answers -> answers.paperMetric().orElseThrow().substring(Answers.PAPER.length()),
                        ScoreTables::paperMean,
                        "These are not the tasks' official metrics: one of them, for question answering, gives"
                                + " an empty answer the full score."
                                + (tasks.size() < grid.tasks().size()
                                        ? " Tasks without such a metric are left out."
                                        : "")));
    }

    /// The mean of the paper's variant.
    static Estimate paperMean(Answers answers) {
        String metric = answers.paperMetric().orElseThrow();
        return answers.mean(answer -> answer.scores().getOrDefault(metric, Double.NaN));
    }

    private static Table table(
            Grid grid,
            String caption,
            List<String> tasks,
            Function<Answers, String> metric,
            Function<Answers, Estimate> score,
            String note) {
        List<Method> methods = grid.methods();
        List<Column> columns =
                new ArrayList<>(List.of(Column.text("task"), Column.text("metric"), Column.number("samples")));
        methods.forEach(method -> columns.add(Column.number(method.label())));
        List<Row> rows = new ArrayList<>();
        for (String task : tasks) {
            List<Cell> cells = new ArrayList<>();
            cells.add(new Cell(Grid.shortName(task)));
            cells.add(new Cell(metric.apply(answers(grid, task).findFirst().orElseThrow())));
            cells.add(new Cell(samples(grid, List.of(task))));
            for (Method method : methods) {
                cells.add(Numbers.score(grid.answers(task, method).map(score).orElse(Estimate.NONE)));
            }
            rows.add(new Row(Row.Kind.PLAIN, cells));
        }
        List<String> common =
                grid.commonTasks().stream().filter(tasks::contains).toList();
        if (common.size() > 1) {
            List<Cell> cells = new ArrayList<>();
            cells.add(new Cell("average of " + common.size()));
            cells.add(new Cell(""));
            cells.add(new Cell(samples(grid, common)));
            methods.forEach(method -> cells.add(Numbers.score(grid.average(method, common, score))));
            rows.add(Row.total(cells));
        }
        return new Table(caption, columns, rows, note);
    }

    /// Number of samples of the tasks; a range if methods differ.
    static String samples(Grid grid, List<String> tasks) {
        List<Integer> counts = grid.methods().stream()
                .map(method -> tasks.stream()
                        .flatMap(task -> grid.answers(task, method).stream())
                        .mapToInt(answers -> answers.samples().size())
                        .sum())
                .filter(count -> count > 0)
                .toList();
        return Numbers.range(
                counts.stream().mapToInt(n -> n).min().orElse(0),
                counts.stream().mapToInt(n -> n).max().orElse(0));
    }

    private static String missing(Grid grid) {
        List<String> common = grid.commonTasks();
        return common.size() == grid.tasks().size()
                ? ""
                : "The average is over the " + common.size() + " of "
                        + grid.tasks().size() + " tasks that every method has answered.";
    }

    private static Stream<Answers> answers(Grid grid, String task) {
        return grid.methods().stream().flatMap(method -> grid.answers(task, method).stream());
    }
}
