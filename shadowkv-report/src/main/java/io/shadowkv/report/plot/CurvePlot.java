package io.shadowkv.report.plot;

import io.shadowkv.report.plot.Canvas.Anchor;
import io.shadowkv.report.plot.Canvas.Position;
import io.shadowkv.report.plot.Canvas.TextStyle;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.DoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Shares with their intervals over a logarithmic horizontal axis. A baseline that does not depend
/// on the axis is a dashed horizontal line.
///
/// @param id unique in the page and used as a file name
/// @param title for screen readers
/// @param xLabel what the horizontal axis measures, with its unit
/// @param yLabel what the vertical axis measures
/// @param xFormat formats a value of the horizontal axis
/// @param baselineName label of the dashed line
/// @param baseline height of the dashed line, 0 to 1; NaN draws none
/// @param curves up to eight
public record CurvePlot(
        String id,
        String title,
        String xLabel,
        String yLabel,
        DoubleFunction<String> xFormat,
        String baselineName,
        double baseline,
        List<Curve> curves)
        implements Figure {
    private static final int LEFT = 64;
    /// Width in pixels of a letter of a curve's name, and of a letter under the axis.
    private static final double NAME_LETTER = 7.4;

    private static final double TICK_LETTER = 6.2;
    private static final int TOP = 16;
    private static final int BOTTOM = 56;
    private static final double LINE_OF_TEXT = 17;

    /// Points joined by a line.
    ///
    /// @param colour name of a colour of [PlotStyle]
    /// @param points at least one, ascending in `x`
    public record Curve(String name, String colour, List<Point> points) {
        public Curve {
            points = List.copyOf(points);
        }
    }

    /// A value with its interval.
    ///
    /// @param x greater than zero
    /// @param share 0 to 1, between `low` and `high`
    public record Point(double x, double share, double low, double high) {}

    @Override
    public int width() {
        return 760;
    }

    @Override
    public int height() {
        return 320;
    }

    /// Pixels to the right of the axes: room for the longest name.
    private int right() {
        int longest =
                curves.stream().mapToInt(curve -> curve.name().length()).max().orElse(0);
        return (int) Math.clamp(20 + NAME_LETTER * Math.max(longest, baselineName.length()), 110, 340);
    }

    @Override
    public String description() {
        Stream<String> lines = curves.stream()
                .map(curve -> curve.name() + ": "
                        + curve.points().stream()
                                .map(point -> Quantity.share(point.share()) + " at " + xFormat.apply(point.x()))
                                .collect(Collectors.joining(", ")));
        Stream<String> base =
                Double.isNaN(baseline) ? Stream.of() : Stream.of(baselineName + ": " + Quantity.share(baseline));
        return Stream.concat(lines, base).collect(Collectors.joining("; "));
    }

    @Override
    public void draw(Canvas canvas) {
        List<Double> xs = points().map(Point::x).distinct().sorted().toList();
        // The axis ends at 100 %; it starts a tenth below the lowest end of an interval.
        double lowest = Math.min(
                points().mapToDouble(Point::low).min().orElse(0), Double.isNaN(baseline) ? 1 : baseline - 0.02);
        int firstTick = (int) Math.clamp(Math.floor(lowest * 10), 0, 8);
        var frame = new Frame(xs, firstTick / 10.0);
        for (int tick = firstTick; tick <= 10; tick += firstTick < 4 ? 2 : 1) {
            double y = frame.y(tick / 10.0);
            canvas.line(LEFT, y, width() - right(), y, ShapeStyle.stroked("rule", 1));
            canvas.text(LEFT - 8, y + 4, TextStyle.TICK.at(Anchor.END), tick * 10 + " %");
        }
        canvas.line(LEFT, height() - BOTTOM, width() - right(), height() - BOTTOM, ShapeStyle.stroked("muted", 1));
        ticks(canvas, frame, xs);
        canvas.text((LEFT + width() - right()) / 2.0, height() - 12, TextStyle.TICK, xLabel);
        canvas.rotatedText(16, (TOP + height() - BOTTOM) / 2.0, TextStyle.TICK, yLabel);
        if (!Double.isNaN(baseline)) {
            canvas.line(
                    LEFT, frame.y(baseline), width() - right(), frame.y(baseline), new ShapeStyle("", "full", 2, true));
        }
        for (int i = 0; i < curves.size(); i++) {
            curve(canvas, frame, curves.get(i), i);
        }
        names(canvas, frame);
    }

    /// Draws the labels under the axis, except those that would overlap the previous one.
    private void ticks(Canvas canvas, Frame frame, List<Double> xs) {
        double free = 0;
        for (double x : xs) {
            double at = frame.x(x);
            String text = xFormat.apply(x);
            double half = TICK_LETTER * text.length() / 2;
            canvas.line(at, height() - BOTTOM, at, height() - BOTTOM + 5, ShapeStyle.stroked("muted", 1));
            if (at - half >= free) {
                canvas.text(at, height() - BOTTOM + 20, TextStyle.TICK, text);
                free = at + half + 6;
            }
        }
    }

    private void curve(Canvas canvas, Frame frame, Curve curve, int number) {
        String colour = curve.colour();
        // Curves that share a point are drawn next to each other.
        double shift = 5 * (number - (curves.size() - 1) / 2.0);
        List<Position> spots = curve.points().stream()
                .map(point -> new Position(frame.x(point.x()) + shift, frame.y(point.share())))
                .toList();
        canvas.polyline(spots, ShapeStyle.stroked(colour, 2.2));
        for (Point point : curve.points()) {
            double x = frame.x(point.x()) + shift;
            double y = frame.y(point.share());
            canvas.line(x, frame.y(point.low()), x, frame.y(point.high()), ShapeStyle.stroked(colour, 1.2));
            if (number % 2 == 0) {
                canvas.circle(x, y, 4, new ShapeStyle(colour, "card", 1.2, false));
            } else {
                canvas.rect(x - 3.5, y - 3.5, 7, 7, new ShapeStyle(colour, "card", 1.2, false));
            }
            canvas.hint(
                    x - 9,
                    y - 9,
                    18,
                    18,
                    "%s, %s: %s (%s to %s)"
                            .formatted(
                                    curve.name(),
                                    xFormat.apply(point.x()),
                                    Quantity.share(point.share()),
                                    Quantity.share(point.low()),
                                    Quantity.share(point.high())));
        }
    }

    /// Draws the names at the right ends, at least one line of text apart.
    private void names(Canvas canvas, Frame frame) {
        record Name(String text, String colour, double y) {}
        List<Name> names = new ArrayList<>();
        for (Curve curve : curves) {
            names.add(new Name(
                    curve.name(),
                    curve.colour(),
                    frame.y(curve.points().getLast().share())));
        }
        if (!Double.isNaN(baseline)) {
            names.add(new Name(baselineName, "full", frame.y(baseline)));
        }
        names.sort(Comparator.comparingDouble(Name::y));
        // First downward: each name goes below the one above. Then upward, if names left the
        // picture.
        double[] heights = new double[names.size()];
        double above = TOP - LINE_OF_TEXT;
        for (int i = 0; i < heights.length; i++) {
            above = Math.max(names.get(i).y(), above + LINE_OF_TEXT);
            heights[i] = above;
        }
        double below = height();
        for (int i = heights.length - 1; i >= 0; i--) {
            below = Math.min(heights[i], below - LINE_OF_TEXT);
            canvas.text(
                    width() - right() + 10,
                    below + 4,
                    TextStyle.LABEL.in(names.get(i).colour()).bold(),
                    names.get(i).text());
        }
    }

    private Stream<Point> points() {
        return curves.stream().flatMap(curve -> curve.points().stream());
    }

    /// Converts values to positions in the picture.
    private final class Frame {
        private final double first;
        private final double span;
        private final double floor;

        Frame(List<Double> xs, double floor) {
            first = Math.log(xs.getFirst());
            span = Math.log(xs.getLast()) - first;
            this.floor = floor;
        }

        double x(double value) {
            double part = span == 0 ? 0.5 : (Math.log(value) - first) / span;
            return LEFT + 28 + part * (width() - LEFT - right() - 56);
        }

        double y(double share) {
            return height() - BOTTOM - (share - floor) / (1 - floor) * (height() - TOP - BOTTOM);
        }
    }
}
