package io.shadowkv.report.plot;

import java.util.List;

/// A grid with few levels: one column for each step, one row for each position, and named spans of
/// columns above it.
///
/// @param id unique in the page
/// @param title for screen readers; also written at the left
/// @param description says in a sentence what the picture shows
/// @param levels `[columns][rows]`; 0 draws nothing, `n` uses the class `level n`
/// @param spans columns that belong together, in order
/// @param xLabel what the columns are; empty draws no axis below
/// @param topLabel what the first row is
/// @param bottomLabel what the last row is
public record HeatStrip(
        String id,
        String title,
        String description,
        byte[][] levels,
        List<Span> spans,
        String xLabel,
        String topLabel,
        String bottomLabel) {
    private static final int WIDTH = 760;
    private static final int LEFT = 110;
    private static final int RIGHT = 10;
    private static final int HEIGHT = 96;

    /// Columns `from` to `until` (exclusive) with a marked row.
    ///
    /// @param mark share of the rows above the marked row, 0 to 1; NaN marks none
    public record Span(String name, int from, int until, double mark) {}

    public String render() {
        int top = 18;
        int bottom = xLabel.isEmpty() ? 6 : 44;
        var svg = new Svg(id, WIDTH, top + HEIGHT + bottom, title, description);
        int columns = levels.length;
        int rows = columns == 0 ? 1 : levels[0].length;
        double scaleX = (WIDTH - LEFT - RIGHT) / (double) Math.max(1, columns);
        svg.rect(LEFT, top, WIDTH - LEFT - RIGHT, HEIGHT, "field");
        svg.group(LEFT, top, scaleX, HEIGHT / (double) rows);
        for (int level = 1; level <= largestLevel(); level++) {
            svg.path(runs(level), "cells level" + level);
        }
        svg.end();
        for (Span span : spans) {
            span(svg, span, scaleX, top);
        }
        svg.text(8, top + HEIGHT / 2.0 + 4, "start", "label", title);
        svg.text(LEFT - 6, top + 10, "end", "tick", topLabel);
        svg.text(LEFT - 6, top + HEIGHT - 2, "end", "tick", bottomLabel);
        if (!xLabel.isEmpty()) {
            axis(svg, columns, scaleX, top + HEIGHT);
        }
        return svg.toString();
    }

    private void span(Svg svg, Span span, double scaleX, int top) {
        double from = LEFT + span.from() * scaleX;
        double until = LEFT + span.until() * scaleX;
        if (span.from() > 0) {
            svg.line(from, top - 12, from, top + HEIGHT, "divider");
        }
        svg.text((from + until) / 2, top - 5, "middle", "tick", span.name());
        if (!Double.isNaN(span.mark())) {
            double y = top + span.mark() * HEIGHT;
            svg.path("M%s %sl8 -4.5v9z".formatted(Svg.number(until - 9), Svg.number(y)), "mark");
        }
    }

    private void axis(Svg svg, int columns, double scaleX, int y) {
        Axis axis = Axis.upTo(columns, 6);
        for (double tick : axis.ticks()) {
            if (tick <= columns) {
                svg.line(LEFT + tick * scaleX, y, LEFT + tick * scaleX, y + 4, "base");
                svg.text(LEFT + tick * scaleX, y + 18, "middle", "tick", Quantity.whole(tick));
            }
        }
        svg.text((LEFT + WIDTH - RIGHT) / 2.0, y + 36, "middle", "axis", xLabel);
    }

    private int largestLevel() {
        int largest = 0;
        for (byte[] column : levels) {
            for (byte level : column) {
                largest = Math.max(largest, level);
            }
        }
        return largest;
    }

    /// Vertical strokes, one for each run of equal cells. They take a tenth of the space of
    /// rectangles.
    private String runs(int level) {
        StringBuilder data = new StringBuilder();
        for (int column = 0; column < levels.length; column++) {
            byte[] rows = levels[column];
            for (int row = 0; row < rows.length; row++) {
                int end = row;
                while (end < rows.length && rows[end] == level) {
                    end++;
                }
                if (end > row) {
                    data.append('M')
                            .append(column)
                            .append(".5 ")
                            .append(row)
                            .append('v')
                            .append(end - row);
                    row = end;
                }
            }
        }
        return data.toString();
    }
}
