package io.shadowkv.eval.report.section;

import io.shadowkv.eval.Method;
import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.run.AnswerRecord.LayerReading;
import io.shadowkv.eval.statistics.Grid;
import io.shadowkv.report.page.Page.Block;
import io.shadowkv.report.page.Page.Cell;
import io.shadowkv.report.page.Page.Column;
import io.shadowkv.report.page.Page.Prose;
import io.shadowkv.report.page.Page.Row;
import io.shadowkv.report.page.Page.Section;
import io.shadowkv.report.page.Page.Table;
import io.shadowkv.report.plot.Quantity;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;

/// How each layer read prompts sparsely: the share of attention that was computed, and the share of its
/// weights that this holds.
public final class PrefillSection {
    private PrefillSection() {}

    /// Empty if all prompts were read exactly.
    public static Optional<Section> of(List<Grid> grids) {
        List<Block> blocks = new ArrayList<>();
        for (List<Grid> sameSetting : ReportSections.bySetting(grids)) {
            Map<String, List<List<LayerReading>>> readings = readings(sameSetting);
            if (!readings.isEmpty()) {
                blocks.add(table(ReportSections.name(sameSetting.getFirst(), grids), readings));
            }
        }
        if (blocks.isEmpty()) {
            return Optional.empty();
        }
        blocks.add(new Prose("Density is the share of attention that was computed. Kept mass is the share of exact"
                + " attention's softmax weights that the computed part holds, the mean over sampled rows and query"
                + " heads (--prefill-mass). Means over prompts."));
        return Optional.of(new Section("prefill", "Sparse prefill by layer", blocks));
    }

    /// What the prompts of each way to read gave. Methods that read alike share a reading.
    private static Map<String, List<List<LayerReading>>> readings(List<Grid> grids) {
        Map<String, List<List<LayerReading>>> readings = new LinkedHashMap<>();
        for (Method method : grids.stream()
                .flatMap(grid -> grid.methods().stream())
                .distinct()
                .sorted(Grid.METHOD_ORDER)
                .toList()) {
            List<List<LayerReading>> found = EfficiencySection.records(grids, method).stream()
                    .map(AnswerRecord::prefillLayers)
                    .filter(Objects::nonNull)
                    .toList();
            if (!found.isEmpty()) {
                readings.putIfAbsent(method.prefillLabel(), found);
            }
        }
        return readings;
    }

    private static Table table(String title, Map<String, List<List<LayerReading>>> readings) {
        List<Column> columns = new ArrayList<>(List.of(Column.text("layer")));
        readings.keySet().forEach(label -> columns.add(Column.number(label)));
        int layers = readings.values().stream()
                .flatMap(List::stream)
                .mapToInt(List::size)
                .max()
                .orElse(0);
        List<Row> rows = new ArrayList<>();
        for (int layer = 0; layer < layers; layer++) {
            List<Cell> cells = new ArrayList<>(List.of(new Cell(String.valueOf(layer))));
            for (List<List<LayerReading>> prompts : readings.values()) {
                cells.add(cell(prompts, layer));
            }
            rows.add(Row.of(cells.toArray(Cell[]::new)));
        }
        return new Table("Density and kept mass by layer, " + title, columns, rows, "");
    }

    private static Cell cell(List<List<LayerReading>> prompts, int layer) {
        List<LayerReading> readings = prompts.stream()
                .filter(layers -> layers.size() > layer)
                .map(layers -> layers.get(layer))
                .toList();
        double density =
                readings.stream().mapToDouble(LayerReading::density).average().orElse(Double.NaN);
        OptionalDouble mass = readings.stream()
                .map(LayerReading::keptMass)
                .filter(Objects::nonNull)
                .mapToDouble(share -> share)
                .average();
        return new Cell(
                Quantity.share(density), mass.isEmpty() ? "" : Quantity.share(mass.getAsDouble()) + " of the mass");
    }
}
