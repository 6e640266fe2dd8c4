package io.shadowkv.eval.report.section;

import io.shadowkv.eval.Method;
import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.statistics.Grid;
import io.shadowkv.eval.statistics.Numbers;
import io.shadowkv.eval.statistics.Setting;
import io.shadowkv.eval.statistics.Speed;
import io.shadowkv.report.page.Page.Block;
import io.shadowkv.report.page.Page.Cell;
import io.shadowkv.report.page.Page.Column;
import io.shadowkv.report.page.Page.Prose;
import io.shadowkv.report.page.Page.Row;
import io.shadowkv.report.page.Page.Section;
import io.shadowkv.report.page.Page.Table;
import io.shadowkv.report.plot.Quantity;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// The costs of the answers: memory, hits, time.
public final class EfficiencySection {
    private EfficiencySection() {}

    public static Section of(List<Grid> grids, PaperTables paper) {
        List<Row> rows = new ArrayList<>();
        List<Block> prose = new ArrayList<>();
        for (List<Grid> sameSetting : ReportSections.bySetting(grids)) {
            Setting setting = sameSetting.getFirst().setting();
            rows.add(Row.group(new Cell(ReportSections.name(sameSetting.getFirst(), grids))));
            rows.addAll(rows(sameSetting));
            paper.throughput(setting)
                    .ifPresent(row -> prose.add(new Prose(String.format(
                            Locale.ROOT,
                            "The paper's Table 3 for %s at %s, decode only on one A100-80GB: full attention %.2f tokens/s"
                                    + " with a batch of %d, ShadowKV %.2f with %d.",
                            row.model(),
                            Quantity.tokens(row.context()),
                            row.full(),
                            row.fullBatch(),
                            row.shadowkv(),
                            row.shadowkvBatch()))));
        }
        List<Block> blocks = new ArrayList<>(List.of(table(rows)));
        blocks.addAll(prose);
        blocks.add(new Prose(
                "Measured during the runs that gave the scores above, by the same code path. Memory is that of one"
                        + " sequence, measured; times are medians over answers. The time to the first token includes the"
                        + " prefill of the prompt and the work that the method adds (sealing: the SVD, landmarks, outliers,"
                        + " moving values), as a single sequence would wait. Tokens/s counts all sequences of the batch."
                        + " Methods that answer the same prompts share the prefill; bench e2e measures speed alone."));
        return new Section("efficiency", "Memory and speed", blocks);
    }

    private static List<Row> rows(List<Grid> grids) {
        List<Row> rows = new ArrayList<>();
        Speed full = Speed.of(records(grids, Method.FULL));
        for (Method method : grids.stream()
                .flatMap(grid -> grid.methods().stream())
                .distinct()
                .sorted(Grid.METHOD_ORDER)
                .toList()) {
            Speed speed = Speed.of(records(grids, method));
            boolean isOther = !method.equals(Method.FULL);
            rows.add(Row.of(
                    new Cell(method.label()),
                    new Cell(Quantity.share(speed.hitRate())),
                    new Cell(
                            Quantity.bytes(speed.residentBytes()),
                            isOther && full.residentBytes() > 0
                                    ? Quantity.share(speed.residentBytes() / full.residentBytes()) + " of full"
                                    : ""),
                    new Cell(speed.offloadedBytes() == 0 ? "0" : Quantity.bytes(speed.offloadedBytes())),
                    new Cell(
                            Quantity.seconds(speed.firstTokenSeconds()),
                            isOther ? "sealing " + Quantity.seconds(speed.sealSeconds()) + density(speed) : ""),
                    new Cell(
                            Quantity.seconds(speed.secondsPerToken()),
                            isOther ? ratio(full.secondsPerToken(), speed.secondsPerToken(), " as fast") : ""),
                    new Cell(
                            Quantity.threeDigits(speed.tokensPerSecond()),
                            isOther ? ratio(speed.tokensPerSecond(), full.tokensPerSecond(), " full") : ""),
                    new Cell(Numbers.range(speed.leastBatch(), speed.mostBatch()))));
        }
        return rows;
    }

    private static String density(Speed speed) {
        return Double.isNaN(speed.prefillDensity())
                ? ""
                : "; " + Quantity.share(speed.prefillDensity()) + " of attention computed";
    }

    private static Table table(List<Row> rows) {
        return new Table(
                "Hits, memory of a sequence, time",
                List.of(
                        Column.text("method"),
                        Column.number("hit rate"),
                        Column.number("resident KV"),
                        Column.number("offloaded KV"),
                        Column.number("first token"),
                        Column.number("per token"),
                        Column.number("tokens/s"),
                        Column.number("batch")),
                rows,
                "");
    }

    static List<AnswerRecord> records(List<Grid> grids, Method method) {
        return grids.stream()
                .flatMap(grid -> grid.answers(method).stream())
                .flatMap(answers -> answers.computed().stream())
                .toList();
    }

    private static String ratio(double above, double below, String word) {
        return above > 0 && below > 0 ? Quantity.times(above / below) + word : "";
    }
}
