package io.shadowkv.eval.report.section;

import io.shadowkv.eval.Method;
import io.shadowkv.eval.Method.Shadow;
import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.statistics.Estimate;
import io.shadowkv.eval.statistics.Grid;
import io.shadowkv.report.page.Page.Block;
import io.shadowkv.report.page.Page.Picture;
import io.shadowkv.report.page.Page.Section;
import io.shadowkv.report.plot.CurvePlot;
import io.shadowkv.report.plot.Quantity;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;

/// Score against budget and against rank, if methods differ in them.
public final class SweepSection {
    private static final int MOST_CURVES = 8;
    /// Minimum number of points for a curve; the tables show two points well enough.
    private static final int LEAST_POINTS = 3;

    /// The parameter on the horizontal axis.
    private enum Parameter {
        BUDGET("budget", Shadow::budget),
        RANK("rank", Shadow::rank);

        private final String word;
        private final ToIntFunction<Shadow> value;

        Parameter(String word, ToIntFunction<Shadow> value) {
            this.word = word;
            this.value = value;
        }

        int of(Method method) {
            return value.applyAsInt(Objects.requireNonNull(method.shadow()));
        }

        /// The method without the parameter: equal for the points of one curve. A cache size equal
        /// to the budget is removed with it.
        Shadow without(Method method) {
            Shadow s = Objects.requireNonNull(method.shadow());
            boolean isBudget = this == BUDGET;
            return s.with(
                    isBudget ? s.rank() : 0,
                    isBudget ? 0 : s.budget(),
                    isBudget && s.cachedTokens() == s.budget() ? 0 : s.cachedTokens());
        }

        /// The label without the parameter.
        String nameWithout(Method method) {
            return method.label().replaceFirst(" " + word + " \\d+", "");
        }
    }

    private SweepSection() {}

    /// Empty if there are no three methods that differ only in budget or only in rank.
    public static Optional<Section> of(List<Grid> grids) {
        List<Block> blocks = Stream.of(Parameter.values())
                .flatMap(parameter -> grids.stream().flatMap(grid -> picture(grid, parameter, grids).stream()))
                .map(Block.class::cast)
                .toList();
        return blocks.isEmpty()
                ? Optional.empty()
                : Optional.of(new Section("sweep", "Score against budget and rank", blocks));
    }

    private static Optional<Picture> picture(Grid grid, Parameter parameter, List<Grid> grids) {
        List<String> tasks = grid.commonTasks();
        List<CurvePlot.Curve> curves = curves(grid, parameter, tasks);
        boolean isCurve = curves.stream().anyMatch(curve -> curve.points().size() >= LEAST_POINTS);
        if (!isCurve || tasks.isEmpty()) {
            return Optional.empty();
        }
        String where = grid.suite() + ", " + ReportSections.name(grid, grids);
        Estimate full = grid.average(Method.FULL, tasks, answers -> answers.mean(AnswerRecord::score));
        var plot = new CurvePlot(
                ReportSections.id(grid, grids) + "-" + parameter.word,
                "Score against " + parameter.word + ", " + where,
                axis(grid, parameter),
                "average score",
                x -> Quantity.whole(x) + share(grid, parameter, x),
                "full attention",
                full.value(),
                curves);
        return Optional.of(
                new Picture(
                        plot,
                        "Average score of " + tasks.size() + " tasks against " + parameter.word + ": " + where
                                + ". Bars are 95 % confidence intervals, the dashed line is full attention on the same samples."));
    }

    /// A curve for the methods that differ only in the parameter.
    private static List<CurvePlot.Curve> curves(Grid grid, Parameter parameter, List<String> tasks) {
        Map<Shadow, List<Method>> families = new LinkedHashMap<>();
        grid.others().stream()
                .filter(method -> method.shadow() != null)
                .forEach(method -> families.computeIfAbsent(parameter.without(method), _ -> new ArrayList<>())
                        .add(method));
        List<List<Method>> chosen = families.values().stream()
                .filter(methods -> methods.size() > 1)
                .limit(MOST_CURVES)
                .toList();
        return chosen.stream()
                .map(methods -> new CurvePlot.Curve(
                        parameter.nameWithout(methods.getFirst()),
                        "p" + chosen.indexOf(methods),
                        methods.stream()
                                .map(method -> point(grid, tasks, parameter, method))
                                .sorted(Comparator.comparingDouble(CurvePlot.Point::x))
                                .toList()))
                .toList();
    }

    private static CurvePlot.Point point(Grid grid, List<String> tasks, Parameter parameter, Method method) {
        Estimate e = grid.average(method, tasks, answers -> answers.mean(AnswerRecord::score));
        return new CurvePlot.Point(
                parameter.of(method),
                e.value(),
                e.interval().low(),
                e.interval().high());
    }

    private static String axis(Grid grid, Parameter parameter) {
        if (parameter == Parameter.RANK) {
            return "rank of the keys";
        }
        return grid.setting().contextTokens() > 0
                ? "budget, tokens selected for each step and head (share of the context)"
                : "budget, tokens selected for each step and head";
    }

    private static String share(Grid grid, Parameter parameter, double x) {
        int context = grid.setting().contextTokens();
        return parameter == Parameter.BUDGET && context > 0 ? " (" + Quantity.share(x / context) + ")" : "";
    }
}
