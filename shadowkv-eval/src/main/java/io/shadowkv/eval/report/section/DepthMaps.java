package io.shadowkv.eval.report.section;

import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.statistics.Grid;
import io.shadowkv.eval.statistics.MethodNames;
import io.shadowkv.report.page.Page.Picture;
import io.shadowkv.report.plot.HeatMap;
import io.shadowkv.report.plot.Quantity;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;

/// Heat maps of tasks that ask for one needle and label its depth, such as RULER's: tenths of the
/// text against the length of the context, one figure for each task and one panel for each method.
public final class DepthMaps {
    private static final int TENTHS = 10;
    /// Minimum number of cells of a map: four tenths of two lengths, or eight of one.
    private static final int LEAST_CELLS = 8;
    private static final int MOST_PANELS = 6;
    /// If there are more maps, those without a wrong answer are shown only after a click.
    private static final int FEW = 2;

    private DepthMaps() {}

    /// Returns the maps.
    ///
    /// @param grids of any length
    public static List<Picture> of(List<Grid> grids) {
        List<Picture> pictures = new ArrayList<>();
        for (Grid grid : grids) {
            for (String task : grid.tasks()) {
                List<AnswerRecord> answers = grid.methods().stream()
                        .flatMap(method -> grid.answers(task, method).stream())
                        .flatMap(of -> of.records().stream())
                        .toList();
                if (answers.stream().allMatch(DepthMaps::hasOneNeedle)) {
                    picture(task, ReportSections.name(grid, grids), answers).ifPresent(pictures::add);
                }
            }
        }
        return pictures.size() <= FEW
                ? pictures
                : pictures.stream().map(DepthMaps::foldedIfFull).toList();
    }

    private static boolean hasOneNeedle(AnswerRecord answer) {
        double depth = NeedleSection.depth(answer);
        return answer.references().size() == 1
                && depth >= 0
                && depth <= 100
                && answer.key().contextTokens() > 0;
    }

    /// Empty if no panel has enough cells.
    private static Optional<Picture> picture(String task, String where, List<AnswerRecord> answers) {
        List<Integer> lengths = answers.stream()
                .map(answer -> answer.key().contextTokens())
                .distinct()
                .sorted()
                .toList();
        var rows = new DepthPanel.Axis(TENTHS, DepthMaps::tenth);
        var columns = new DepthPanel.Axis(
                lengths.size(), answer -> lengths.indexOf(answer.key().contextTokens()));
        List<HeatMap.Panel> panels = new ArrayList<>();
        panels(answers).forEach((name, of) -> panels.add(DepthPanel.of(name, of, rows, columns)));
        if (panels.stream().allMatch(panel -> panel.known().length < LEAST_CELLS)) {
            return Optional.empty();
        }
        var map = new HeatMap(
                ReportSections.slug(task + " depth " + where.replace("all lengths", "")),
                Grid.shortName(task) + (where.equals("all lengths") ? "" : ", " + where),
                "length of the context, tokens",
                "depth of the needle",
                lengths.stream().map(Quantity::tokens).toList(),
                IntStream.range(0, TENTHS).mapToObj(DepthMaps::name).toList(),
                most(panels));
        String left = panels.size() <= MOST_PANELS
                ? ""
                : " Of " + panels.size() + " methods, " + MOST_PANELS + " with the most cells are shown.";
        return Optional.of(new Picture(map, map.title() + ": " + map.description() + "." + left));
    }

    private static int tenth(AnswerRecord answer) {
        return Math.min(TENTHS - 1, (int) NeedleSection.depth(answer) / TENTHS);
    }

    private static String name(int tenth) {
        return TENTHS * tenth + "–" + TENTHS * (tenth + 1) + " %";
    }

    /// Answers by method. If budgets grow with the length, they are grouped by the budget's share
    /// of the context, which needs fewer panels.
    private static Map<String, List<AnswerRecord>> panels(List<AnswerRecord> answers) {
        Map<String, List<AnswerRecord>> byBudget =
                group(answers, answer -> MethodNames.byBudget(answer.key().method()));
        Map<String, List<AnswerRecord>> byShare = group(
                answers,
                answer ->
                        MethodNames.byShare(answer.key().method(), answer.key().contextTokens()));
        return byShare.size() < byBudget.size() ? byShare : byBudget;
    }

    private static Map<String, List<AnswerRecord>> group(
            List<AnswerRecord> answers, Function<AnswerRecord, String> name) {
        Map<String, List<AnswerRecord>> groups = new LinkedHashMap<>();
        answers.forEach(answer -> groups.computeIfAbsent(name.apply(answer), _ -> new ArrayList<>())
                .add(answer));
        return groups;
    }

    /// The panels with the most cells, in their order, up to a maximum.
    private static List<HeatMap.Panel> most(List<HeatMap.Panel> panels) {
        List<HeatMap.Panel> chosen = panels.stream()
                .sorted(Comparator.comparingInt((HeatMap.Panel panel) -> panel.known().length)
                        .reversed())
                .limit(MOST_PANELS)
                .toList();
        return panels.stream().filter(chosen::contains).toList();
    }

    private static Picture foldedIfFull(Picture picture) {
        boolean isFull = picture.figure() instanceof HeatMap map
                && map.panels().stream()
                        .flatMapToDouble(panel -> Arrays.stream(panel.known()))
                        .allMatch(share -> share >= 1);
        return new Picture(picture.figure(), picture.caption(), isFull);
    }
}
