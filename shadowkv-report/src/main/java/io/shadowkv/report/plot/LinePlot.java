package io.shadowkv.report.plot;

import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleFunction;

/// Lines over a logarithmic horizontal axis (powers of two are evenly spaced) and a vertical axis
/// from zero.
///
/// @param id unique in the page
/// @param title for screen readers
/// @param xLabel what the horizontal axis measures, with its unit
/// @param yLabel what the vertical axis measures, with its unit
/// @param xFormat formats a value of the horizontal axis
/// @param series the lines, up to eight
public record LinePlot(
        String id, String title, String xLabel, String yLabel, DoubleFunction<String> xFormat, List<Series> series) {
    private static final int WIDTH = 760;
    private static final int HEIGHT = 320;
    private static final int LEFT = 64;
    private static final int RIGHT = 110;
    private static final int TOP = 16;
    private static final int BOTTOM = 56;

    /// A line.
    ///
    /// @param name written at the end of the line
    /// @param cssClass class of its colour
    /// @param points at least one, ascending in `x`
    public record Series(String name, String cssClass, List<Point> points) {
        public Series {
            if (points.isEmpty()) {
                throw new IllegalArgumentException("series " + name + " has no points; a line needs at least one");
            }
            points = List.copyOf(points);
        }
    }

    /// A point of a line.
    ///
    /// @param x greater than zero
    public record Point(double x, double y) {}

    public String render() {
        List<Double> xs = series.stream()
                .flatMap(line -> line.points().stream())
                .map(Point::x)
                .distinct()
                .sorted()
                .toList();
        Axis axis = Axis.upTo(
                series.stream()
                        .flatMap(line -> line.points().stream())
                        .mapToDouble(Point::y)
                        .max()
                        .orElse(1),
                5);
        var svg = new Svg(id, WIDTH, HEIGHT, title, description());
        for (double tick : axis.ticks()) {
            double y = y(tick, axis);
            svg.line(LEFT, y, WIDTH - RIGHT, y, tick == 0 ? "base" : "grid");
            svg.text(LEFT - 8, y + 4, "end", "tick", Quantity.whole(tick));
        }
        for (double x : xs) {
            svg.line(x(x, xs), HEIGHT - BOTTOM, x(x, xs), HEIGHT - BOTTOM + 5, "base");
            svg.text(x(x, xs), HEIGHT - BOTTOM + 20, "middle", "tick", xFormat.apply(x));
        }
        svg.text((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 12, "middle", "axis", xLabel);
        svg.rotatedText(16, (TOP + HEIGHT - BOTTOM) / 2.0, "axis", yLabel);
        List<Double> ends = labelHeights(axis);
        for (int i = 0; i < series.size(); i++) {
            draw(svg, series.get(i), xs, axis, ends.get(i), i);
        }
        return svg.toString();
    }

    private void draw(Svg svg, Series line, List<Double> xs, Axis axis, double labelAt, int number) {
        StringBuilder data = new StringBuilder();
        for (Point point : line.points()) {
            data.append(data.isEmpty() ? "M" : "L")
                    .append(Svg.number(x(point.x(), xs)))
                    .append(' ')
                    .append(Svg.number(y(point.y(), axis)));
        }
        svg.path(data.toString(), "line " + line.cssClass());
        for (Point point : line.points()) {
            double x = x(point.x(), xs);
            double y = y(point.y(), axis);
            String hint = line.name() + ", " + xFormat.apply(point.x()) + ": " + Quantity.threeDigits(point.y());
            // Each line has its own shape, so that it can be recognised without colour.
            if (number % 2 == 0) {
                svg.circle(x, y, 4.5, "dot " + line.cssClass());
            } else {
                svg.rect(x - 4, y - 4, 8, 8, "dot " + line.cssClass());
            }
            svg.hinted(x - 9, y - 9, 18, 18, "hit", hint);
        }
        svg.text(WIDTH - RIGHT + 12, labelAt + 4, "start", "label " + line.cssClass(), line.name());
    }

    /// Heights of the names at the ends of the lines, at least one line of text apart.
    private List<Double> labelHeights(Axis axis) {
        List<Integer> order = new ArrayList<>();
        List<Double> heights = new ArrayList<>();
        for (int i = 0; i < series.size(); i++) {
            order.add(i);
            heights.add(y(series.get(i).points().getLast().y(), axis));
        }
        order.sort((a, b) -> Double.compare(heights.get(a), heights.get(b)));
        for (int i = 1; i < order.size(); i++) {
            double above = heights.get(order.get(i - 1));
            heights.set(order.get(i), Math.max(heights.get(order.get(i)), above + 18));
        }
        return heights;
    }

    private double x(double value, List<Double> xs) {
        double least = Math.log(xs.getFirst());
        double span = Math.log(xs.getLast()) - least;
        double share = span == 0 ? 0.5 : (Math.log(value) - least) / span;
        return LEFT + 20 + share * (WIDTH - LEFT - RIGHT - 40);
    }

    private double y(double value, Axis axis) {
        return HEIGHT - BOTTOM - value / axis.top() * (HEIGHT - TOP - BOTTOM);
    }

    private String description() {
        return String.join(
                "; ",
                series.stream()
                        .map(line -> line.name() + " from "
                                + Quantity.threeDigits(line.points().getFirst().y()) + " at "
                                + xFormat.apply(line.points().getFirst().x())
                                + " to "
                                + Quantity.threeDigits(line.points().getLast().y()) + " at "
                                + xFormat.apply(line.points().getLast().x()))
                        .toList());
    }
}
