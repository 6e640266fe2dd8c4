package io.shadowkv.eval.report.section;

import io.shadowkv.eval.Method;
import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.statistics.Answers;
import io.shadowkv.eval.statistics.Estimate;
import io.shadowkv.eval.statistics.Grid;
import io.shadowkv.eval.statistics.Numbers;
import io.shadowkv.eval.statistics.Setting;
import io.shadowkv.report.page.Page.Cell;
import io.shadowkv.report.page.Page.Column;
import io.shadowkv.report.page.Page.Row;
import io.shadowkv.report.page.Page.Table;
import io.shadowkv.report.plot.Quantity;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Rows of the paper's tables for a model and a length, from `paper-tables.json`.
///
/// @param source where they were published
/// @param ruler averages of RULER
/// @param throughput of its Table 3, one A100-80GB
public record PaperTables(String source, List<Accuracy> ruler, List<Throughput> throughput) {
    /// A row of the accuracy tables.
    ///
    /// @param pattern matches names of the model, in lower case
    /// @param context tokens
    /// @param tasks number of tasks averaged
    /// @param budgetShare budget as a share of the context
    /// @param full score of full attention in percent
    /// @param shadowkv score of ShadowKV in percent
    public record Accuracy(
            String model, String pattern, int context, int tasks, double budgetShare, double full, double shadowkv) {}

    /// A row of the throughput table.
    ///
    /// @param full tokens per second of all sequences of the batch with full attention
    /// @param shadowkv tokens per second with ShadowKV
    public record Throughput(
            String model,
            String pattern,
            int context,
            double full,
            int fullBatch,
            double shadowkv,
            int shadowkvBatch) {}

    public static PaperTables load() {
        try (InputStream in = PaperTables.class.getResourceAsStream("paper-tables.json")) {
            if (in == null) {
                throw new IllegalStateException("paper-tables.json is missing from the module");
            }
            JsonNode root = JsonMapper.shared().readTree(in);
            List<Accuracy> ruler = new ArrayList<>();
            root.required("ruler").forEach(row -> ruler.add(accuracy(row)));
            List<Throughput> throughput = new ArrayList<>();
            root.required("throughput").forEach(row -> throughput.add(throughput(row)));
            return new PaperTables(root.required("source").asString(), ruler, throughput);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Accuracy accuracy(JsonNode row) {
        return new Accuracy(
                row.required("model").asString(),
                row.required("pattern").asString(),
                row.required("context").asInt(),
                row.required("tasks").asInt(),
                row.required("budget_share").asDouble(),
                row.required("full").asDouble(),
                row.required("shadowkv").asDouble());
    }

    private static Throughput throughput(JsonNode row) {
        return new Throughput(
                row.required("model").asString(),
                row.required("pattern").asString(),
                row.required("context").asInt(),
                row.required("full").asDouble(),
                row.required("full_batch").asInt(),
                row.required("shadowkv").asDouble(),
                row.required("shadowkv_batch").asInt());
    }

    public Optional<Accuracy> accuracy(Grid grid) {
        return ruler.stream()
                .filter(row -> grid.suite().equals("ruler") && isOf(row.pattern(), row.context(), grid.setting()))
                .findFirst();
    }

    public Optional<Throughput> throughput(Setting setting) {
        return throughput.stream()
                .filter(row -> isOf(row.pattern(), row.context(), setting))
                .findFirst();
    }

    private static boolean isOf(String pattern, int context, Setting setting) {
        return setting.contextTokens() == context
                && setting.model().toLowerCase(Locale.ROOT).matches(pattern);
    }

    /// A table with the paper's row above this run's; empty if the paper has none.
    Optional<Table> comparison(Grid grid) {
        return accuracy(grid).map(paper -> comparison(grid, paper));
    }

    private Table comparison(Grid grid, Accuracy paper) {
        List<Row> rows = new ArrayList<>();
        String share = Quantity.share(paper.budgetShare());
        rows.add(Row.of(
                new Cell("the paper"),
                new Cell("its own"),
                new Cell(Integer.toString(paper.tasks())),
                new Cell(String.format(Locale.ROOT, "%.2f", paper.full())),
                new Cell(String.format(Locale.ROOT, "%.2f", paper.shadowkv()), "budget " + share),
                new Cell(Numbers.points((paper.shadowkv() - paper.full()) / 100))));
        List<String> common = grid.commonTasks();
        List<String> paperTasks = common.stream()
                .filter(task -> grid.methods().stream()
                        .allMatch(method -> grid.answers(task, method)
                                .flatMap(Answers::paperMetric)
                                .isPresent()))
                .toList();
        for (Method method : grid.others()) {
            if (!paperTasks.isEmpty()) {
                Estimate full = grid.average(Method.FULL, paperTasks, ScoreTables::paperMean);
                Estimate other = grid.average(method, paperTasks, ScoreTables::paperMean);
                rows.add(own("paper's", paperTasks.size(), full, other, method));
            }
            Estimate full = grid.average(Method.FULL, common, a -> a.mean(AnswerRecord::score));
            Estimate other = grid.average(method, common, a -> a.mean(AnswerRecord::score));
            rows.add(own("official", common.size(), full, other, method));
        }
        return new Table(
                "Comparison with the paper's average for " + paper.model() + " at " + Quantity.tokens(paper.context()),
                List.of(
                        Column.text("source"),
                        Column.text("metrics"),
                        Column.number("tasks"),
                        Column.number("full attention"),
                        Column.number("ShadowKV"),
                        Column.number("difference, points")),
                rows,
                "The paper's numbers (" + source + ") follow its own metrics over 10 or 11 tasks, without"
                        + " niah_multikey_3 and cwe, on prompts of its own: compare the differences, not the scores.");
    }

    private static Row own(String metrics, int tasks, Estimate full, Estimate other, Method method) {
        return Row.of(
                new Cell("this run"),
                new Cell(metrics),
                new Cell(Integer.toString(tasks)),
                new Cell(Numbers.percent(full.value())),
                new Cell(Numbers.percent(other.value()), method.label()),
                new Cell(Numbers.points(other.value() - full.value())));
    }
}
