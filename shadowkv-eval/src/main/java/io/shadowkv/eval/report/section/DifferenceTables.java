package io.shadowkv.eval.report.section;

import io.shadowkv.eval.Method;
import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.statistics.Divergences;
import io.shadowkv.eval.statistics.Estimate;
import io.shadowkv.eval.statistics.Grid;
import io.shadowkv.eval.statistics.Numbers;
import io.shadowkv.eval.statistics.PairedComparison;
import io.shadowkv.report.page.Page.Block;
import io.shadowkv.report.page.Page.Cell;
import io.shadowkv.report.page.Page.Column;
import io.shadowkv.report.page.Page.Picture;
import io.shadowkv.report.page.Page.Row;
import io.shadowkv.report.page.Page.Table;
import io.shadowkv.report.plot.IntervalPlot;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// Compares methods with full attention on the same samples.
final class DifferenceTables {
    /// From this number of methods on, tables by task are shown only after a click.
    private static final int MANY = 3;
    /// Marks of more methods would overlap.
    private static final int MOST_IN_FIGURE = 4;

    private static final List<Column> COLUMNS = List.of(
            Column.number("difference, points"),
            Column.number("pairs"),
            Column.number("better"),
            Column.number("worse"),
            Column.number("same answers, %"),
            Column.number("mean KL, nats"),
            Column.number("max KL"),
            Column.number("top-1 same, %"));

    private DifferenceTables() {}

    /// A figure, a table by task and, for many methods, a table of averages; empty without answers
    /// of full attention.
    ///
    /// @param id start of the figure's id
    static List<Block> of(Grid grid, String id) {
        List<Method> others = grid.others();
        if (!grid.hasFull() || others.isEmpty()) {
            return List.of();
        }
        List<Block> blocks = new ArrayList<>();
        if (others.size() >= MANY) {
            blocks.add(averages(grid, others));
        }
        if (grid.tasks().size() > 1) {
            blocks.add(figure(grid, others.size() > MOST_IN_FIGURE ? extremes(others) : others, id));
        }
        blocks.add(byTask(grid, others));
        return blocks;
    }

    private static Table averages(Grid grid, List<Method> others) {
        List<String> tasks = grid.commonTasks();
        List<Row> rows = others.stream()
                .map(method -> row(method.label(), false, grid.comparison(tasks, method), records(grid, tasks, method)))
                .toList();
        return new Table(
                "Each method minus full attention, average of " + tasks.size() + " tasks", columns("method"), rows, "");
    }

    private static Table byTask(Grid grid, List<Method> others) {
        List<Row> rows = new ArrayList<>();
        int otherPrompts = 0;
        for (Method method : others) {
            List<String> tasks = grid.tasks().stream()
                    .filter(task -> grid.comparison(task, method).isPresent())
                    .toList();
            rows.add(Row.group(new Cell(method.label())));
            for (String task : tasks) {
                rows.add(row(
                        Grid.shortName(task),
                        false,
                        grid.comparison(task, method).orElseThrow(),
                        grid.answers(task, method).orElseThrow().computed()));
            }
            PairedComparison total = grid.comparison(tasks, method);
            otherPrompts += total.otherPrompts();
            if (tasks.size() > 1) {
                rows.add(row("average of " + tasks.size(), true, total, records(grid, tasks, method)));
            }
        }
        String note = otherPrompts == 0
                ? ""
                : otherPrompts + " samples are left out: the two methods did not read the same prompt.";
        return new Table("Method minus full attention, by task", columns("task"), rows, note, others.size() >= MANY);
    }

    private static List<AnswerRecord> records(Grid grid, List<String> tasks, Method method) {
        return tasks.stream()
                .flatMap(task -> grid.answers(task, method).stream())
                .flatMap(answers -> answers.computed().stream())
                .toList();
    }

    private static List<Column> columns(String first) {
        return Stream.concat(Stream.of(Column.text(first)), COLUMNS.stream()).toList();
    }

    private static Row row(String name, boolean isTotal, PairedComparison pairs, List<AnswerRecord> records) {
        Divergences divergences = Divergences.of(records);
        return new Row(
                isTotal ? Row.Kind.TOTAL : Row.Kind.PLAIN,
                List.of(
                        new Cell(name),
                        Numbers.difference(pairs.difference()),
                        new Cell(Integer.toString(pairs.difference().samples())),
                        new Cell(Integer.toString(pairs.better())),
                        new Cell(Integer.toString(pairs.worse())),
                        new Cell(Numbers.percent(pairs.agreement())),
                        new Cell(Numbers.nats(divergences.meanKl())),
                        new Cell(Numbers.nats(divergences.maxKl())),
                        new Cell(Numbers.percent(divergences.topOneAgreement()))));
    }

    private static Picture figure(Grid grid, List<Method> methods, String id) {
        List<IntervalPlot.Row> rows = new ArrayList<>();
        for (String task : grid.tasks()) {
            rows.add(new IntervalPlot.Row(
                    Grid.shortName(task),
                    false,
                    methods.stream()
                            .map(method -> mark(grid.comparison(task, method)
                                    .map(PairedComparison::difference)
                                    .orElse(Estimate.NONE)))
                            .toList()));
        }
        List<String> common = grid.commonTasks();
        if (common.size() > 1) {
            rows.add(new IntervalPlot.Row(
                    "average of " + common.size(),
                    true,
                    methods.stream()
                            .map(method -> mark(grid.comparison(common, method).difference()))
                            .toList()));
        }
        String where = grid.suite() + ", " + grid.setting().length();
        return new Picture(
                new IntervalPlot(
                        id + "-differences",
                        "Difference from full attention by task, " + where,
                        "score minus full attention's, percentage points",
                        methods.stream().map(Method::label).toList(),
                        rows),
                "Score minus full attention's on the same samples, in percentage points, with 95 % confidence"
                        + " intervals: "
                        + where
                        + ". An interval without zero indicates a real difference; one in twenty excludes zero"
                        + " by chance.");
    }

    private static List<Method> extremes(List<Method> methods) {
        List<Method> chosen = new ArrayList<>();
        for (int i = 0; i < MOST_IN_FIGURE; i++) {
            chosen.add(methods.get(i * (methods.size() - 1) / (MOST_IN_FIGURE - 1)));
        }
        return chosen;
    }

    private static IntervalPlot.Mark mark(Estimate e) {
        return new IntervalPlot.Mark(
                100 * e.value(), 100 * e.interval().low(), 100 * e.interval().high());
    }
}
