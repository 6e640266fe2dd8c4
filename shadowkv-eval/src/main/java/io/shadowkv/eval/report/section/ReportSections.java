package io.shadowkv.eval.report.section;

import io.shadowkv.eval.statistics.Grid;
import io.shadowkv.eval.statistics.Setting;
import io.shadowkv.report.page.Page.Block;
import io.shadowkv.report.page.Page.Prose;
import io.shadowkv.report.page.Page.Section;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Names of grids, and the sections about one grid each.
public final class ReportSections {
    private ReportSections() {}

    /// A section for each grid: scores, differences, the paper's row.
    public static List<Section> scores(List<Grid> grids, PaperTables paper) {
        List<Section> sections = new ArrayList<>();
        for (Grid grid : grids) {
            String id = id(grid, grids);
            List<Block> blocks = new ArrayList<>();
            blocks.add(ScoreTables.official(grid));
            GroupTable.of(grid).ifPresent(blocks::add);
            paper.comparison(grid).ifPresent(blocks::add);
            List<Block> differences = DifferenceTables.of(grid, id);
            blocks.addAll(differences);
            if (differences.isEmpty() && !grid.others().isEmpty()) {
                blocks.add(new Prose("No differences: full attention has not answered these samples."));
            }
            ScoreTables.paper(grid).ifPresent(blocks::add);
            sections.add(new Section(id, grid.suite() + ", " + name(grid, grids), blocks));
        }
        return sections;
    }

    /// The length, and the model and backend if the grids differ in them.
    public static String name(Grid grid, List<Grid> grids) {
        boolean isAlone = grids.stream()
                        .map(other -> List.of(
                                other.setting().model(),
                                other.setting().backend(),
                                other.setting().kvType()))
                        .distinct()
                        .count()
                == 1;
        return isAlone ? grid.setting().length() : grid.setting().everything();
    }

    /// Unique in the page, and a part of file names.
    static String id(Grid grid, List<Grid> grids) {
        return slug(grid.suite() + " " + name(grid, grids).replaceFirst(" tokens|lengths of the files", ""));
    }

    /// Replaces everything except letters and digits by hyphens.
    static String slug(String text) {
        return text.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-").replaceAll("^-|-$", "");
    }

    /// Groups the grids that differ only in the suite.
    static List<List<Grid>> bySetting(List<Grid> grids) {
        Map<Setting, List<Grid>> together = new LinkedHashMap<>();
        grids.forEach(grid ->
                together.computeIfAbsent(grid.setting(), _ -> new ArrayList<>()).add(grid));
        return List.copyOf(together.values());
    }
}
