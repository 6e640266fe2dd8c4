package io.shadowkv.cli.bench.serve;

import io.shadowkv.cli.bench.load.Load;
import io.shadowkv.cli.bench.load.LoadSummary;
import io.shadowkv.cli.bench.load.TraceSpec;
import io.shadowkv.cli.process.Machine;
import io.shadowkv.report.page.HtmlPage;
import io.shadowkv.report.page.Page;
import io.shadowkv.report.page.Page.Block;
import io.shadowkv.report.page.Page.Cell;
import io.shadowkv.report.page.Page.Column;
import io.shadowkv.report.page.Page.Plot;
import io.shadowkv.report.page.Page.Row;
import io.shadowkv.report.page.Page.Section;
import io.shadowkv.report.page.Page.Table;
import io.shadowkv.report.plot.LoadPlot;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/// The page of curves over the loads.
///
/// @param machine where the generator ran
/// @param plan what was measured
record LoadPage(Machine machine, LoadPlan plan) {
    /// @param results at least one
    String html(List<LoadResult> results) {
        LoadResult first = results.getFirst();
        List<String> notes = new ArrayList<>();
        if (results.stream().anyMatch(LoadResult::isCut)) {
            notes.add("The run was interrupted; the last load has what was measured until then.");
        }
        int failed = results.stream().mapToInt(one -> one.summary().failed()).sum();
        if (failed > 0) {
            notes.add(failed + " requests failed; the table counts them for each load.");
        }
        String lead = first.info().model() + ", " + what() + ". Goal: " + plan.goal() + ".";
        return HtmlPage.of(
                new Page(
                        "Serving benchmark",
                        lead,
                        List.of(),
                        notes,
                        List.of(
                                new Section("curves", "Curves", curves(results)),
                                new Section("figures", "Figures", List.of(table(results))),
                                new Section("conditions", "Conditions", List.of(new Page.Facts(facts(first)))))),
                false);
    }

    private String what() {
        return switch (plan.trace()) {
            case TraceSpec.Chat chat ->
                String.format(
                        Locale.ROOT,
                        "prompts of %,d to %,d tokens, answers of %d",
                        chat.leastTokens(),
                        chat.mostTokens(),
                        chat.answerTokens());
            case TraceSpec.Documents some ->
                String.format(
                        Locale.ROOT,
                        "%d documents of %,d to %,d tokens, %d questions about each, answers of %d tokens",
                        some.documents(),
                        some.leastTokens(),
                        some.mostTokens(),
                        some.questions(),
                        some.answerTokens());
        };
    }

    private List<Block> curves(List<LoadResult> results) {
        List<Block> plots = new ArrayList<>();
        add(plots, results, "goodput", "requests/s that meet the goal", LoadSummary::goodput);
        add(plots, results, "throughput", "output tokens/s", LoadSummary::outputThroughput);
        add(
                plots,
                results,
                "ttft-p50",
                "time to first token, p50 (ms)",
                one -> one.firstToken().p50());
        add(
                plots,
                results,
                "ttft-p99",
                "time to first token, p99 (ms)",
                one -> one.firstToken().p99());
        add(
                plots,
                results,
                "tpot-p50",
                "time per output token, p50 (ms)",
                one -> one.perToken().p50());
        add(
                plots,
                results,
                "e2el-p90",
                "end to end, p90 (ms)",
                one -> one.endToEnd().p90());
        return plots;
    }

    private void add(
            List<Block> plots, List<LoadResult> results, String id, String name, ToDoubleFunction<LoadSummary> figure) {
        Map<String, List<LoadPlot.Point>> lines = new LinkedHashMap<>();
        results.stream()
                .sorted(Comparator.comparingDouble(one -> one.load().value()))
                .forEach(one -> {
                    double value = figure.applyAsDouble(one.summary());
                    if (Double.isFinite(value)) {
                        lines.computeIfAbsent(one.name(), key -> new ArrayList<>())
                                .add(new LoadPlot.Point(one.load().value(), value));
                    }
                });
        if (!lines.isEmpty()) {
            List<LoadPlot.Line> drawn = new ArrayList<>();
            lines.forEach((line, points) -> drawn.add(new LoadPlot.Line(line, "p" + drawn.size() % 8, points)));
            plots.add(new Plot(new LoadPlot(id, name, axis(), name, drawn), name));
        }
    }

    private String axis() {
        return plan.loads().getFirst() instanceof Load.Rate ? "requests/s sent (Poisson)" : "clients";
    }

    private Table table(List<LoadResult> results) {
        List<Column> columns = List.of(
                Column.text("method"),
                Column.text("load"),
                Column.number("whole"),
                Column.number("failed"),
                Column.number("req/s"),
                Column.number("goodput"),
                Column.number("output tok/s"),
                Column.number("TTFT p50/p90/p99 ms"),
                Column.number("TPOT p50/p90/p99 ms"),
                Column.number("E2EL p50/p90/p99 ms"));
        List<Row> rows = new ArrayList<>();
        for (LoadResult one : results) {
            LoadSummary summary = one.summary();
            rows.add(Row.of(
                    new Cell(one.name()),
                    new Cell(one.load().toString()),
                    new Cell(String.valueOf(summary.completed())),
                    new Cell(String.valueOf(summary.failed())),
                    number(summary.requestThroughput()),
                    number(summary.goodput()),
                    number(summary.outputThroughput()),
                    spread(summary.firstToken()),
                    spread(summary.perToken()),
                    spread(summary.endToEnd())));
        }
        return new Table("Figures of each load", columns, rows, "");
    }

    private static Cell number(double value) {
        return new Cell(String.format(Locale.ROOT, "%.3g", value));
    }

    private static Cell spread(io.shadowkv.cli.bench.load.Spread spread) {
        return new Cell(String.format(Locale.ROOT, "%.1f / %.1f / %.1f", spread.p50(), spread.p90(), spread.p99()));
    }

    private Map<String, String> facts(LoadResult first) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("commit", machine.commitText());
        facts.put("generator", machine.processor() + ", " + machine.java());
        first.info()
                .facts()
                .properties()
                .forEach(entry -> facts.put(entry.getKey(), entry.getValue().asString("")));
        facts.put("seed", String.valueOf(plan.seed()));
        facts.put("warm-up requests", String.valueOf(plan.warmup()));
        return facts;
    }
}
