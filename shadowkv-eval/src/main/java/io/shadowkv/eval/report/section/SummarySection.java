package io.shadowkv.eval.report.section;

import io.shadowkv.eval.Method;
import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.statistics.Divergences;
import io.shadowkv.eval.statistics.Estimate;
import io.shadowkv.eval.statistics.Grid;
import io.shadowkv.eval.statistics.Numbers;
import io.shadowkv.eval.statistics.PairedComparison;
import io.shadowkv.eval.statistics.Speed;
import io.shadowkv.report.page.Page.Block;
import io.shadowkv.report.page.Page.Card;
import io.shadowkv.report.page.Page.Cell;
import io.shadowkv.report.page.Page.Column;
import io.shadowkv.report.page.Page.Row;
import io.shadowkv.report.page.Page.Section;
import io.shadowkv.report.page.Page.Table;
import io.shadowkv.report.plot.Quantity;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// The summary table, and the most important numbers.
public final class SummarySection {
    /// The paper's usual budget, as a share of the context.
    private static final double USUAL_SHARE = 1 / 64.0;

    private SummarySection() {}

    public static Section of(List<Grid> grids) {
        List<Row> rows = new ArrayList<>();
        for (Grid grid : grids) {
            List<String> tasks = grid.commonTasks();
            rows.add(Row.group(new Cell(grid.suite() + ", " + ReportSections.name(grid, grids), extent(grid))));
            grid.methods().forEach(method -> rows.add(row(grid, tasks, method)));
        }
        Table table = new Table(
                "Average score in percent with its 95 % confidence interval, paired difference from full attention, memory"
                        + " of a sequence, speed",
                List.of(
                        Column.text("method"),
                        Column.number("score"),
                        Column.number("difference, points"),
                        Column.number("same answers, %"),
                        Column.number("mean KL, nats"),
                        Column.number("resident KV"),
                        Column.number("first token"),
                        Column.number("tokens/s")),
                rows,
                "");
        List<Block> blocks = new ArrayList<>(List.of(table));
        blocks.addAll(LengthFigures.of(grids));
        return new Section("summary", "Summary", blocks);
    }

    private static Row row(Grid grid, List<String> tasks, Method method) {
        List<AnswerRecord> records = EfficiencySection.records(List.of(grid), method);
        Speed speed = Speed.of(records);
        PairedComparison pairs = grid.comparison(tasks, method);
        boolean isCompared = grid.hasFull() && !method.equals(Method.FULL);
        return Row.of(
                new Cell(method.label()),
                Numbers.score(average(grid, method)),
                isCompared ? Numbers.difference(pairs.difference()) : new Cell(Numbers.NONE),
                new Cell(isCompared ? Numbers.percent(pairs.agreement()) : Numbers.NONE),
                new Cell(Numbers.nats(Divergences.of(records).meanKl())),
                new Cell(Quantity.bytes(speed.residentBytes())),
                new Cell(Quantity.seconds(speed.firstTokenSeconds())),
                new Cell(Quantity.threeDigits(speed.tokensPerSecond())));
    }

    private static String extent(Grid grid) {
        List<String> tasks = grid.commonTasks();
        return (tasks.size() == 1 ? "1 task, " : tasks.size() + " tasks, ") + ScoreTables.samples(grid, tasks)
                + " samples";
    }

    public static Estimate average(Grid grid, Method method) {
        return grid.average(method, grid.commonTasks(), answers -> answers.mean(AnswerRecord::score));
    }

    /// Cards of the longest length: the method whose budget is nearest to the paper's share,
    /// compared with full attention.
    public static List<Card> cards(List<Grid> grids) {
        return grids.stream()
                .filter(grid -> grid.hasFull()
                        && !grid.others().isEmpty()
                        && !grid.commonTasks().isEmpty())
                .max(Comparator.comparingInt(grid -> grid.setting().contextTokens()))
                .flatMap(grid -> usual(grid).map(method -> cards(grid, method, grids)))
                .orElse(List.of());
    }

    private static Optional<Method> usual(Grid grid) {
        double wanted = USUAL_SHARE * grid.setting().contextTokens();
        return grid.others().stream().min(Comparator.comparingDouble(method -> {
            Method.Shadow shadow = method.shadow();
            return shadow == null ? Double.MAX_VALUE : Math.abs(shadow.budget() - wanted);
        }));
    }

    private static List<Card> cards(Grid grid, Method method, List<Grid> grids) {
        Estimate difference = grid.comparison(grid.commonTasks(), method).difference();
        Speed full = Speed.of(EfficiencySection.records(List.of(grid), Method.FULL));
        Speed speed = Speed.of(EfficiencySection.records(List.of(grid), method));
        String place = grid.suite() + ", " + ReportSections.name(grid, grids);
        return List.of(
                new Card(
                        "Score, " + place,
                        Numbers.percent(average(grid, method).value()) + " %",
                        method.label() + "; full attention "
                                + Numbers.percent(average(grid, Method.FULL).value()) + " %"),
                new Card(
                        "Difference from full attention",
                        Numbers.points(difference.value()) + " points",
                        "95 % confidence: " + Numbers.points(difference.interval())),
                new Card(
                        "Resident keys and values",
                        Quantity.share(speed.residentBytes() / full.residentBytes()),
                        Quantity.bytes(full.residentBytes()) + " → " + Quantity.bytes(speed.residentBytes())
                                + " a sequence"),
                new Card(
                        "Decode speed",
                        Quantity.times(speed.tokensPerSecond() / full.tokensPerSecond()),
                        Quantity.threeDigits(full.tokensPerSecond()) + " → "
                                + Quantity.threeDigits(speed.tokensPerSecond()) + " tokens/s"));
    }
}
