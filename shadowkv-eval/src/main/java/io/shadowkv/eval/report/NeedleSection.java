package io.shadowkv.eval.report;

import io.shadowkv.eval.AnswerRecord;
import io.shadowkv.eval.Method;
import io.shadowkv.eval.plot.HeatMap;
import io.shadowkv.eval.plot.Quantity;
import io.shadowkv.eval.report.Page.Block;
import io.shadowkv.eval.report.Page.Picture;
import io.shadowkv.eval.report.Page.Section;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;

/// Needles at every depth of texts of every length: a heat map a method.
final class NeedleSection {
    private static final String CONTEXT = "context";
    private static final String DEPTH = "depth";

    private NeedleSection() {}

    /// Whether an answer belongs on a map: a task of the suite `niah` whose labels place it.
    static boolean isMapped(AnswerRecord answer) {
        return Grid.suite(answer.key().task()).equals("niah")
                && !Double.isNaN(number(answer, CONTEXT))
                && !Double.isNaN(number(answer, DEPTH));
    }

    /// @param grids of mapped answers, of any length
    static Section of(List<Grid> grids) {
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
        return new Section("needle-map", "Needle by length and depth", blocks);
    }

    private static Picture picture(Grid grid, Answers answers, String id) {
        TreeMap<Double, TreeMap<Double, List<Double>>> byDepth = new TreeMap<>();
        TreeMap<Double, Integer> contexts = new TreeMap<>();
        for (AnswerRecord answer : answers.records()) {
            double context = number(answer, CONTEXT);
            contexts.merge(context, 1, Integer::sum);
            byDepth.computeIfAbsent(number(answer, DEPTH), _ -> new TreeMap<>())
                    .computeIfAbsent(context, _ -> new ArrayList<>())
                    .add(answer.score());
        }
        double[][] shares = new double[byDepth.size()][contexts.size()];
        int row = 0;
        for (TreeMap<Double, List<Double>> scores : byDepth.values()) {
            Arrays.fill(shares[row], Double.NaN);
            for (var cell : scores.entrySet()) {
                shares[row][contexts.headMap(cell.getKey()).size()] =
                        cell.getValue().stream().mapToDouble(s -> s).average().orElseThrow();
            }
            row++;
        }
        var map = new HeatMap(
                id,
                Grid.shortName(answers.task()) + ", " + answers.method().label(),
                "length, tokens",
                "depth of the needle",
                contexts.keySet().stream().map(NeedleSection::length).toList(),
                byDepth.keySet().stream()
                        .map(depth -> depth(depth, byDepth.lastKey()))
                        .toList(),
                shares);
        return new Picture(
                map,
                "Score in percent by the length of the text and the needle's depth in it: "
                        + answers.method().label() + ", " + grid.setting().model() + ". "
                        + map.description() + ".");
    }

    private static String length(double tokens) {
        return tokens >= 1024 ? Math.round(tokens / 1024) + "K" : Quantity.whole(tokens);
    }

    /// Depths are shares where none lies above 1, else percent.
    private static String depth(double depth, double deepest) {
        return Math.round(deepest <= 1 ? 100 * depth : depth) + " %";
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
