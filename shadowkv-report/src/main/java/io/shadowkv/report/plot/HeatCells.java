package io.shadowkv.report.plot;

import io.shadowkv.report.plot.Canvas.Anchor;
import io.shadowkv.report.plot.Canvas.TextStyle;

/// Draws the cells of a [HeatMap]. All cells have the same size.
///
/// @param width width of a cell in pixels
/// @param height height of a cell in pixels
/// @param saysSamples whether the number of samples is written next to the share
record HeatCells(Canvas canvas, double width, double height, boolean saysSamples) {
    /// 0 % and 100 % have colours of their own; the range between is divided into fifths.
    static final int LEVELS = 7;

    /// A cell without samples.
    static final ShapeStyle EMPTY = new ShapeStyle("card", "rule", 1, true);

    /// Minimum width in pixels of a cell with text: room for three digits.
    private static final double LEAST_FOR_TEXT = 24;

    /// @param share 0 to 1; NaN leaves the cell empty
    /// @param place names the cell in its tooltip
    void draw(double x, double y, double share, int samples, String place) {
        if (Double.isNaN(share)) {
            canvas.rect(x + 2, y + 2, width - 4, height - 4, EMPTY);
            canvas.hint(x, y, width, height, place + ": no sample");
            return;
        }
        int level = level(share);
        canvas.rect(x + 0.5, y + 0.5, width - 1, height - 1, ink(level));
        if (width >= LEAST_FOR_TEXT) {
            text(x + width / 2, y + height / 2 + 4, share, samples, level <= 1 || level == LEVELS - 1);
        }
        String count = samples == 1 ? " (1 sample)" : " (" + samples + " samples)";
        canvas.hint(x, y, width, height, place + ": " + Quantity.share(share) + count);
    }

    private void text(double x, double y, double share, int samples, boolean isOnDark) {
        TextStyle lettering = TextStyle.TICK.in(isOnDark ? "ondark" : "onlight");
        // Only a share of exactly 1 is written as 100.
        String percent = Long.toString(share < 1 ? Math.min(99, Math.round(100 * share)) : 100);
        if (saysSamples) {
            canvas.text(x + 3, y, lettering.at(Anchor.END), percent);
            canvas.text(x + 7, y, lettering.at(Anchor.START).sized(9), Integer.toString(samples));
        } else {
            canvas.text(x, y, lettering, percent);
        }
    }

    static ShapeStyle ink(int level) {
        return ShapeStyle.filled("h" + level);
    }

    private static int level(double share) {
        if (share <= 0) {
            return 0;
        }
        return share >= 1 ? LEVELS - 1 : 1 + Math.min(4, (int) (share * 5));
    }
}
