package io.shadowkv.report.plot;

import io.shadowkv.report.plot.Canvas.Anchor;
import io.shadowkv.report.plot.Canvas.TextStyle;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// Differences with their intervals around a vertical line at zero: one row for each name, with one
/// mark for each series.
///
/// @param id unique in the page and used as a file name
/// @param title for screen readers
/// @param xLabel what a difference means
/// @param series names, up to eight
/// @param rows from the top
public record IntervalPlot(String id, String title, String xLabel, List<String> series, List<Row> rows)
        implements Figure {
    private static final int LEFT = 190;
    private static final int RIGHT = 20;
    private static final int STEP = 11;
    private static final int BOTTOM = 48;

    /// A line of the plot with its marks.
    ///
    /// @param isTotal whether the row is written in bold under a line
    /// @param marks one for each series, in the order of the series
    public record Row(String name, boolean isTotal, List<Mark> marks) {
        public Row {
            marks = List.copyOf(marks);
        }
    }

    /// A difference in percentage points with the ends of its interval; NaN draws nothing.
    public record Mark(double value, double low, double high) {}

    @Override
    public int width() {
        return 760;
    }

    @Override
    public int height() {
        return top() + rows.size() * pitch() + BOTTOM;
    }

    private int top() {
        return 12 + (series.size() + 1) / 2 * 20;
    }

    private int pitch() {
        return Math.max(22, series.size() * STEP + 9);
    }

    @Override
    public String description() {
        return rows.stream()
                .map(row -> row.name() + " "
                        + row.marks().stream()
                                .map(mark -> String.format(Locale.ROOT, "%+.1f", mark.value()))
                                .collect(Collectors.joining(", ")))
                .collect(Collectors.joining("; "));
    }

    @Override
    public void draw(Canvas canvas) {
        double reach = rows.stream()
                .flatMap(row -> row.marks().stream())
                .filter(mark -> !Double.isNaN(mark.value()))
                .mapToDouble(mark -> Math.max(Math.abs(mark.low()), Math.abs(mark.high())))
                .max()
                .orElse(1);
        Axis half = Axis.upTo(Math.clamp(reach, 1, 100), 3);
        double scale = (width() - LEFT - RIGHT) / 2.0 / half.top();
        double zero = LEFT + half.top() * scale;
        double bottom = top() + rows.size() * (double) pitch();
        for (int i = 0; i < series.size(); i++) {
            double x = LEFT + i % 2 * 270.0;
            double y = 14 + Math.floorDiv(i, 2) * 20.0;
            mark(canvas, i, x, y - 4);
            canvas.text(x + 11, y, TextStyle.LABEL, series.get(i));
        }
        for (double tick : half.ticks()) {
            for (double signed : tick == 0 ? new double[] {0} : new double[] {-tick, tick}) {
                double x = zero + signed * scale;
                canvas.line(
                        x,
                        top(),
                        x,
                        bottom,
                        signed == 0 ? ShapeStyle.stroked("muted", 1.2) : ShapeStyle.stroked("rule", 1));
                canvas.text(x, bottom + 16, TextStyle.TICK, signed(signed));
            }
        }
        for (int i = 0; i < rows.size(); i++) {
            row(canvas, rows.get(i), top() + i * (double) pitch(), zero, scale);
        }
        canvas.text(zero, bottom + 36, TextStyle.TICK, xLabel);
    }

    private void row(Canvas canvas, Row row, double y, double zero, double scale) {
        if (row.isTotal()) {
            canvas.line(8, y, width() - RIGHT, y, ShapeStyle.stroked("rule", 1));
        }
        TextStyle lettering = TextStyle.LABEL.at(Anchor.END);
        canvas.text(LEFT - 14, y + pitch() / 2.0 + 4, row.isTotal() ? lettering.bold() : lettering, row.name());
        for (int i = 0; i < row.marks().size(); i++) {
            Mark mark = row.marks().get(i);
            if (Double.isNaN(mark.value())) {
                continue;
            }
            double at = y + pitch() / 2.0 + (i - (row.marks().size() - 1) / 2.0) * STEP;
            double low = zero + mark.low() * scale;
            double high = zero + mark.high() * scale;
            canvas.line(low, at, high, at, ShapeStyle.stroked("p" + i % 8, row.isTotal() ? 3 : 1.6));
            mark(canvas, i, zero + mark.value() * scale, at);
            canvas.hint(
                    Math.min(low, high),
                    at - 5,
                    Math.max(8, high - low),
                    10,
                    "%s, %s: %s (%s to %s)"
                            .formatted(
                                    row.name(),
                                    series.get(i),
                                    decimal(mark.value()),
                                    decimal(mark.low()),
                                    decimal(mark.high())));
        }
    }

    /// Each series has its own shape, so that it can be recognised without colour.
    private static void mark(Canvas canvas, int number, double x, double y) {
        var ink = new ShapeStyle("p" + number % 8, "card", 1, false);
        if (number % 2 == 0) {
            canvas.circle(x, y, 4, ink);
        } else {
            canvas.rect(x - 3.5, y - 3.5, 7, 7, ink);
        }
    }

    private static String decimal(double value) {
        return String.format(Locale.ROOT, "%+.1f", value).replace('-', '−');
    }

    private static String signed(double value) {
        return value == 0
                ? "0"
                : (value > 0 ? "+" : "−")
                        + Quantity.threeDigits(Math.abs(value)).replaceAll("\\.0+$", "");
    }
}
