package io.shadowkv.eval.plot;

import io.shadowkv.eval.plot.Canvas.Anchor;
import io.shadowkv.eval.plot.Canvas.Lettering;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// Shares in a grid of cells, from orange (0 %) by pale to blue (100 %), a pair that colour-blind people
/// tell apart; the percentage stands in the cell where there is room.
///
/// @param id unique in the page, a file name too
/// @param title read aloud and written above
/// @param xLabel what the columns are
/// @param yLabel what the rows are
/// @param columns names
/// @param rows names, from the top
/// @param shares `[rows][columns]`, 0 to 1; NaN leaves the cell empty
public record HeatMap(
        String id,
        String title,
        String xLabel,
        String yLabel,
        List<String> columns,
        List<String> rows,
        double[][] shares)
        implements Figure {
    private static final int LEFT = 76;
    private static final int TOP = 30;
    private static final int ROW = 24;
    private static final int BELOW = 84;
    private static final int LEVELS = 7;
    /// Narrower cells have no room for three digits.
    private static final double LEAST_FOR_TEXT = 24;

    private static final String[] LEVEL_NAMES = {"0 %", "to 20", "to 40", "to 60", "to 80", "below 100", "100 %"};

    @Override
    public int width() {
        return 760;
    }

    @Override
    public int height() {
        return TOP + rows.size() * ROW + BELOW;
    }

    @Override
    public String description() {
        double[] known = Arrays.stream(shares)
                .flatMapToDouble(Arrays::stream)
                .filter(share -> !Double.isNaN(share))
                .toArray();
        return String.format(
                Locale.ROOT,
                "%d cells, mean %s, lowest %s, %d of them full",
                known.length,
                Quantity.share(Arrays.stream(known).average().orElse(Double.NaN)),
                Quantity.share(Arrays.stream(known).min().orElse(Double.NaN)),
                Arrays.stream(known).filter(share -> share >= 1).count());
    }

    @Override
    public void draw(Canvas canvas) {
        double cell = Math.min(96, (width() - LEFT - 12.0) / columns.size());
        canvas.text(LEFT, 18, Lettering.LABEL.bold(), title);
        for (int row = 0; row < rows.size(); row++) {
            double y = TOP + row * (double) ROW;
            canvas.text(LEFT - 8, y + ROW / 2.0 + 4, Lettering.TICK.at(Anchor.END), rows.get(row));
            for (int column = 0; column < columns.size(); column++) {
                cell(canvas, row, column, LEFT + column * cell, y, cell);
            }
        }
        double bottom = TOP + rows.size() * (double) ROW;
        int stride = (int) Math.ceil(38 / cell);
        for (int column = 0; column < columns.size(); column += stride) {
            canvas.text(LEFT + (column + 0.5) * cell, bottom + 16, Lettering.TICK, columns.get(column));
        }
        canvas.text(LEFT + columns.size() * cell / 2, bottom + 34, Lettering.TICK, xLabel);
        canvas.upright(14, TOP + rows.size() * ROW / 2.0, Lettering.TICK, yLabel);
        legend(canvas, bottom + 52);
    }

    private void cell(Canvas canvas, int row, int column, double x, double y, double width) {
        double share = shares[row][column];
        if (Double.isNaN(share)) {
            canvas.rect(x + 0.5, y + 0.5, width - 1, ROW - 1, Ink.filled("field"));
            return;
        }
        int level = level(share);
        canvas.rect(x + 0.5, y + 0.5, width - 1, ROW - 1, Ink.filled("h" + level));
        if (width >= LEAST_FOR_TEXT) {
            // Only a full cell says 100.
            String text = Long.toString(share < 1 ? Math.min(99, Math.round(100 * share)) : 100);
            canvas.text(x + width / 2, y + ROW / 2.0 + 4, Lettering.TICK.in(inkOn(level)), text);
        }
        canvas.hint(x, y, width, ROW, columns.get(column) + ", " + rows.get(row) + ": " + Quantity.share(share));
    }

    private static void legend(Canvas canvas, double y) {
        for (int level = 0; level < LEVELS; level++) {
            double x = LEFT + level * 84.0;
            canvas.rect(x, y, 14, 14, Ink.filled("h" + level));
            canvas.text(x + 19, y + 11, Lettering.TICK.at(Anchor.START), LEVEL_NAMES[level]);
        }
    }

    /// 0 and 100 % have colours of their own, fifths between.
    static int level(double share) {
        if (share <= 0) {
            return 0;
        }
        return share >= 1 ? LEVELS - 1 : 1 + Math.min(4, (int) (share * 5));
    }

    private static String inkOn(int level) {
        return level <= 1 || level == LEVELS - 1 ? "ondark" : "onlight";
    }
}
