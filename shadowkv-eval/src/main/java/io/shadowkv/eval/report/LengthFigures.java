package io.shadowkv.eval.report;

import io.shadowkv.eval.AnswerRecord;
import io.shadowkv.eval.Method;
import io.shadowkv.eval.plot.CurvePlot;
import io.shadowkv.eval.plot.Quantity;
import io.shadowkv.eval.report.Page.Picture;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Score against the length of the context, a curve a method.
final class LengthFigures {
    private static final int MOST_CURVES = 8;

    private record Place(String suite, String model, String backend, String kvType) {}

    private LengthFigures() {}

    /// A figure for every suite, model and backend with methods that answered the same tasks at two
    /// lengths or more.
    static List<Picture> of(List<Grid> grids) {
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
        // Lengths whose tasks differ cannot share a curve: the longest length's tasks decide.
        List<String> tasks = grids.getLast().commonTasks();
        List<Grid> alike =
                grids.stream().filter(grid -> grid.commonTasks().equals(tasks)).toList();
        List<Method> methods = alike.getFirst().methods().stream()
                .filter(method -> alike.stream().allMatch(grid -> grid.methods().contains(method)))
                .limit(MOST_CURVES)
                .toList();
        if (alike.size() < 2 || tasks.isEmpty()) {
            return List.of();
        }
        List<CurvePlot.Curve> curves = new ArrayList<>();
        int others = 0;
        for (Method method : methods) {
            boolean isFull = method.equals(Method.FULL);
            curves.add(new CurvePlot.Curve(
                    isFull ? "full attention" : method.label(),
                    isFull ? "full" : "p" + others++,
                    alike.stream().map(grid -> point(grid, tasks, method)).toList()));
        }
        return curves;
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
