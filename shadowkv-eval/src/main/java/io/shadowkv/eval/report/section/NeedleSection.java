package io.shadowkv.eval.report.section;

import io.shadowkv.eval.Method;
import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.statistics.Answers;
import io.shadowkv.eval.statistics.Grid;
import io.shadowkv.report.page.Page.Block;
import io.shadowkv.report.page.Page.Picture;
import io.shadowkv.report.page.Page.Prose;
import io.shadowkv.report.page.Page.Section;
import io.shadowkv.report.plot.HeatMap;
import io.shadowkv.report.plot.Quantity;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Maps of the needle's depth and the text's length: one heat map for each method of the pressure
/// test, and one for each other task that asks for one needle and labels its depth.
public final class NeedleSection {
    private static final String CONTEXT = "context";
    private static final String DEPTH = "depth";

    private NeedleSection() {}

    /// True if an answer belongs on a map: its task is of the suite `niah` and its labels give its
    /// position.
    public static boolean isMapped(AnswerRecord answer) {
        return Grid.suite(answer.key().task()).equals("niah")
                && !Double.isNaN(number(answer, CONTEXT))
                && !Double.isNaN(number(answer, DEPTH));
    }

    /// Returns the section.
    ///
    /// @param pressure grids of mapped answers, of any length
    /// @param others grids of all other answers, of any length
    /// @return empty if there is nothing to map
    public static Optional<Section> of(List<Grid> pressure, List<Grid> others) {
        List<Block> blocks = new ArrayList<>(pressure(pressure));
        List<Picture> maps = DepthMaps.of(others);
        if (!maps.isEmpty()) {
            blocks.add(new Prose("Tasks that ask for one needle: score in percent, with the number of"
                    + " samples in small type, by the length of the context and the needle's depth."));
        }
        blocks.addAll(maps);
        return blocks.isEmpty()
                ? Optional.empty()
                : Optional.of(new Section("needle-map", "Needle by length and depth", blocks));
    }

    private static List<Block> pressure(List<Grid> grids) {
        List<Block> blocks = new ArrayList<>();
        for (int i = 0; i < grids.size(); i++) {
            Grid grid = grids.get(i);
            String id = "niah-map" + (grids.size() > 1 ? "-" + (i + 1) : "");
            blocks.add(ScoreTables.official(grid));
            for (String task : grid.tasks()) {
                for (Method method : grid.methods()) {
                    String name = id + "-" + ReportSections.slug(Grid.shortName(task) + " " + method.label());
                    grid.answers(task, method).ifPresent(answers -> blocks.add(picture(grid, answers, name)));
                }
            }
            blocks.addAll(DifferenceTables.of(grid, id));
        }
        return blocks;
    }

    private static Picture picture(Grid grid, Answers answers, String id) {
        List<AnswerRecord> records = answers.records();
        List<Double> contexts = values(records, CONTEXT);
        List<Double> depths = values(records, DEPTH);
        var panel = DepthPanel.of(
                "",
                records,
                new DepthPanel.Axis(depths.size(), answer -> depths.indexOf(number(answer, DEPTH))),
                new DepthPanel.Axis(contexts.size(), answer -> contexts.indexOf(number(answer, CONTEXT))));
        var map = new HeatMap(
                id,
                Grid.shortName(answers.task()) + ", " + answers.method().label(),
                "length, tokens",
                "depth of the needle",
                contexts.stream().map(NeedleSection::length).toList(),
                depths.stream().map(depth -> depth(depth, depths.getLast())).toList(),
                List.of(panel));
        return new Picture(
                map,
                "Score in percent by the length of the text and the needle's depth in it: "
                        + answers.method().label() + ", " + grid.setting().model() + ". "
                        + map.description() + ".");
    }

    /// The values of a label in all answers, ascending.
    private static List<Double> values(List<AnswerRecord> answers, String label) {
        return answers.stream()
                .map(answer -> number(answer, label))
                .distinct()
                .sorted()
                .toList();
    }

    private static String length(double tokens) {
        return tokens >= 1024 ? Math.round(tokens / 1024) + "K" : Quantity.whole(tokens);
    }

    /// Depths are shares if none is above 1, otherwise percent.
    private static String depth(double depth, double deepest) {
        return Math.round(deepest <= 1 ? 100 * depth : depth) + " %";
    }

    /// The needle's depth according to the answer's label; NaN if it has none.
    static double depth(AnswerRecord answer) {
        return number(answer, DEPTH);
    }

    private static double number(AnswerRecord answer, String label) {
        String text = answer.labels().getOrDefault(label, "").replace("%", "").strip();
        try {
            return text.isEmpty() ? Double.NaN : Double.parseDouble(text);
        } catch (NumberFormatException _) {
            return Double.NaN;
        }
    }
}
