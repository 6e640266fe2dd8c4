package io.shadowkv.eval.report.section;

import io.shadowkv.eval.Method;
import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.statistics.Estimate;
import io.shadowkv.eval.statistics.Grid;
import io.shadowkv.eval.statistics.MethodNames;
import io.shadowkv.eval.statistics.Setting;
import io.shadowkv.report.page.Page.Picture;
import io.shadowkv.report.plot.CurvePlot;
import io.shadowkv.report.plot.Quantity;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;

/// Score against the length of the context, with a curve for each method.
public final class LengthFigures {
    private static final int MOST_CURVES = 8;

    private record Place(String suite, String model, String backend, String kvType) {}

    private LengthFigures() {}

    /// A figure for every suite, model and backend with methods that answered the same tasks at two
    /// or more lengths.
    public static List<Picture> of(List<Grid> grids) {
        Map<Place, List<Grid>> places = new LinkedHashMap<>();
        for (Grid grid : grids) {
            Setting setting = grid.setting();
            if (setting.contextTokens() > 0) {
                places.computeIfAbsent(
                                new Place(grid.suite(), setting.model(), setting.backend(), setting.kvType()),
                                _ -> new ArrayList<>())
                        .add(grid);
            }
        }
        List<Picture> pictures = new ArrayList<>();
        places.forEach((place, lengths) -> {
            List<CurvePlot.Curve> curves = curves(lengths);
            if (!curves.isEmpty()) {
                boolean isAlone = places.size() == 1;
                String where = isAlone
                        ? place.suite()
                        : place.suite() + ", " + place.model() + ", " + place.backend() + " " + place.kvType();
                pictures.add(picture(where, curves));
            }
        });
        return pictures;
    }

    private static Picture picture(String where, List<CurvePlot.Curve> curves) {
        return new Picture(
                new CurvePlot(
                        ReportSections.slug(where + " length"),
                        "Score against length, " + where,
                        "context, tokens",
                        "average score",
                        x -> Quantity.tokens((int) x),
                        "",
                        Double.NaN,
                        curves),
                "Average score against the length of the context: " + where
                        + ", methods and lengths with the same tasks. Bars are 95 % confidence intervals.");
    }

    private static List<CurvePlot.Curve> curves(List<Grid> grids) {
        // Lengths with different tasks cannot share a curve: the longest length's tasks decide.
        List<String> tasks = grids.getLast().commonTasks();
        List<Grid> alike =
                grids.stream().filter(grid -> grid.commonTasks().equals(tasks)).toList();
        if (alike.size() < 2 || tasks.isEmpty()) {
            return List.of();
        }
        List<Map<String, Method>> byBudget =
                alike.stream().map(grid -> named(grid, MethodNames::byBudget)).toList();
        List<Map<String, Method>> byShare = alike.stream()
                .map(grid -> named(
                        grid,
                        method -> MethodNames.byShare(method, grid.setting().contextTokens())))
                .toList();
        // Budgets given as a share of the context differ at every length.
        List<Map<String, Method>> named =
                common(byShare).size() > common(byBudget).size() ? byShare : byBudget;
        List<CurvePlot.Curve> curves = new ArrayList<>();
        int others = 0;
        for (String name : common(named)) {
            boolean isFull = Method.FULL.equals(named.getFirst().get(name));
            List<CurvePlot.Point> points = new ArrayList<>();
            for (int i = 0; i < alike.size(); i++) {
                Method method = Objects.requireNonNull(named.get(i).get(name));
                points.add(point(alike.get(i), tasks, method));
            }
            curves.add(new CurvePlot.Curve(name, isFull ? "full" : "p" + others++, points));
        }
        return curves;
    }

    private static Map<String, Method> named(Grid grid, Function<Method, String> name) {
        Map<String, Method> named = new LinkedHashMap<>();
        grid.methods().forEach(method -> named.putIfAbsent(name.apply(method), method));
        return named;
    }

    /// Names that every length has, in the first one's order, up to a maximum.
    private static List<String> common(List<Map<String, Method>> named) {
        return named.getFirst().keySet().stream()
                .filter(name -> named.stream().allMatch(methods -> methods.containsKey(name)))
                .limit(MOST_CURVES)
                .toList();
    }

    private static CurvePlot.Point point(Grid grid, List<String> tasks, Method method) {
        Estimate e = grid.average(method, tasks, answers -> answers.mean(AnswerRecord::score));
        return new CurvePlot.Point(
                grid.setting().contextTokens(),
                e.value(),
                e.interval().low(),
                e.interval().high());
    }
}
