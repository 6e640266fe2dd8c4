package io.shadowkv.report.plot;

import io.shadowkv.report.plot.Canvas.Anchor;
import io.shadowkv.report.plot.Canvas.Position;
import io.shadowkv.report.plot.Canvas.TextStyle;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/// A figure of a server over the load, both axes from zero.
///
/// @param id unique in the page and used as a file name
/// @param title for screen readers
/// @param xLabel what the horizontal axis measures, with its unit
/// @param yLabel what the vertical axis measures, with its unit
/// @param lines one to eight
public record LoadPlot(String id, String title, String xLabel, String yLabel, List<Line> lines) implements Figure {
    private static final int LEFT = 76;
    private static final int TOP = 16;
    private static final int BOTTOM = 56;
    private static final int TICKS = 5;
    /// Width in pixels of a letter of a line's name.
    private static final double NAME_LETTER = 7.4;

    private static final double LINE_OF_TEXT = 17;

    public LoadPlot {
        if (lines.isEmpty()) {
            throw new IllegalArgumentException("plot " + id + " has no lines; give at least one");
        }
        lines = List.copyOf(lines);
    }

    /// Points joined by a line.
    ///
    /// @param colour name of a colour of [PlotStyle]
    /// @param points at least one, ascending in `x`
    public record Line(String name, String colour, List<Point> points) {
        public Line {
            if (points.isEmpty()) {
                throw new IllegalArgumentException("line " + name + " has no points; give at least one");
            }
            points = List.copyOf(points);
        }
    }

    /// @param x load, 0 or more
    /// @param y value, 0 or more
    public record Point(double x, double y) {}

    @Override
    public int width() {
        return 760;
    }

    @Override
    public int height() {
        return 320;
    }

    private int right() {
        int longest =
                lines.stream().mapToInt(line -> line.name().length()).max().orElse(0);
        return (int) Math.clamp(20 + NAME_LETTER * longest, 110, 340);
    }

    @Override
    public String description() {
        return lines.stream()
                .map(line -> line.name() + ": "
                        + line.points().stream()
                                .map(point -> number(point.y()) + " at " + number(point.x()))
                                .collect(Collectors.joining(", ")))
                .collect(Collectors.joining("; "));
    }

    private static String number(double value) {
        return Quantity.threeDigits(value);
    }

    @Override
    public void draw(Canvas canvas) {
        Axis across = axis(Point::x);
        Axis up = axis(Point::y);
        int end = width() - right();
        int bottom = height() - BOTTOM;
        for (double tick : up.ticks()) {
            double y = y(tick, up);
            canvas.line(LEFT, y, end, y, ShapeStyle.stroked(tick == 0 ? "muted" : "rule", 1));
            canvas.text(LEFT - 8, y + 4, TextStyle.TICK.at(Anchor.END), number(tick));
        }
        for (double tick : across.ticks()) {
            double x = x(tick, across);
            canvas.line(x, bottom, x, bottom + 5, ShapeStyle.stroked("muted", 1));
            canvas.text(x, bottom + 20, TextStyle.TICK, number(tick));
        }
        canvas.text((LEFT + end) / 2.0, height() - 12, TextStyle.TICK, xLabel);
        canvas.rotatedText(16, (TOP + bottom) / 2.0, TextStyle.TICK, yLabel);
        for (int i = 0; i < lines.size(); i++) {
            line(canvas, lines.get(i), across, up, i);
        }
        names(canvas, up);
    }

    private Axis axis(ToDoubleFunction<Point> value) {
        double largest = lines.stream()
                .flatMap(line -> line.points().stream())
                .mapToDouble(value)
                .max()
                .orElse(1);
        return Axis.upTo(largest, TICKS);
    }

    private void line(Canvas canvas, Line line, Axis across, Axis up, int number) {
        List<Position> spots = line.points().stream()
                .map(point -> new Position(x(point.x(), across), y(point.y(), up)))
                .toList();
        canvas.polyline(spots, ShapeStyle.stroked(line.colour(), 2.2));
        ShapeStyle dot = new ShapeStyle(line.colour(), "card", 1.2, false);
        for (Point point : line.points()) {
            double x = x(point.x(), across);
            double y = y(point.y(), up);
            // Each line has its own shape, so that it can be recognised without colour.
            if (number % 2 == 0) {
                canvas.circle(x, y, 4, dot);
            } else {
                canvas.rect(x - 3.5, y - 3.5, 7, 7, dot);
            }
            canvas.hint(x - 9, y - 9, 18, 18, line.name() + ", " + number(point.x()) + ": " + number(point.y()));
        }
    }

    /// Draws the names at the right ends, at least one line of text apart.
    private void names(Canvas canvas, Axis up) {
        List<Line> ordered = new ArrayList<>(lines);
        ordered.sort(Comparator.comparingDouble(line -> end(line, up)));
        double[] heights = new double[ordered.size()];
        double above = TOP - LINE_OF_TEXT;
        for (int i = 0; i < heights.length; i++) {
            above = Math.max(end(ordered.get(i), up), above + LINE_OF_TEXT);
            heights[i] = above;
        }
        double below = height() - BOTTOM + LINE_OF_TEXT;
        for (int i = heights.length - 1; i >= 0; i--) {
            below = Math.min(heights[i], below - LINE_OF_TEXT);
            Line line = ordered.get(i);
            canvas.text(
                    width() - right() + 10,
                    below + 4,
                    TextStyle.LABEL.in(line.colour()).bold(),
                    line.name());
        }
    }

    private double end(Line line, Axis up) {
        return y(line.points().getLast().y(), up);
    }

    private double x(double value, Axis axis) {
        return LEFT + value / axis.top() * (width() - LEFT - right() - 12);
    }

    private double y(double value, Axis axis) {
        return height() - BOTTOM - value / axis.top() * (height() - TOP - BOTTOM);
    }
}
