package io.shadowkv.report.plot;

import io.shadowkv.report.plot.Canvas.Anchor;
import io.shadowkv.report.plot.Canvas.TextStyle;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Shares in grids of cells, from orange (0 %) through a pale colour to blue (100 %). Colour-blind
/// readers can distinguish orange and blue. The percentage is written in the cell if there is room,
/// with the number of samples in small type next to it, unless each cell has one sample. Panels
/// share rows and columns and are placed next to each other as far as the width allows.
///
/// @param id unique in the page and used as a file name
/// @param title for screen readers; also written above the grids
/// @param xLabel what the columns are
/// @param yLabel what the rows are
/// @param columns names
/// @param rows names, from the top
/// @param panels at least one
public record HeatMap(
        String id,
        String title,
        String xLabel,
        String yLabel,
        List<String> columns,
        List<String> rows,
        List<Panel> panels)
        implements Figure {
    private static final int LEFT = 84;
    private static final int RIGHT = 4;
    private static final int GAP = 12;
    private static final int TOP = 30;
    private static final int NAME = 20;
    private static final int ROW = 24;
    private static final int TICKS = 26;
    private static final int LEGEND = 44;
    private static final double ENTRY = 84;
    private static final int MOST_WIDE = 96;
    /// Minimum width in pixels of a cell that also shows its number of samples.
    private static final double LEAST_FOR_SAMPLES = 44;
    /// Width in pixels of a letter of a panel's name.
    private static final double LETTER = 6.6;

    private static final String[] LEVEL_NAMES = {"0 %", "to 20", "to 40", "to 60", "to 80", "below 100", "100 %"};

    /// One grid.
    ///
    /// @param name written above the grid; may be empty if there is only one panel
    /// @param shares `[rows][columns]`, 0 to 1; NaN leaves the cell empty
    /// @param samples `[rows][columns]`, the number of samples that each share is the mean of
    public record Panel(String name, double[][] shares, int[][] samples) {
        /// Shares of all cells that have one.
        public double[] known() {
            return Arrays.stream(shares)
                    .flatMapToDouble(Arrays::stream)
                    .filter(share -> !Double.isNaN(share))
                    .toArray();
        }
    }

    @Override
    public int width() {
        return 760;
    }

    @Override
    public int height() {
        return TOP + Math.ceilDiv(panels.size(), panelsAbreast()) * panelHeight() + LEGEND;
    }

    /// The number of panels next to each other: as many as have room for their cells' text and
    /// their names. They are spread evenly over the lines.
    private int panelsAbreast() {
        int longest =
                panels.stream().mapToInt(panel -> panel.name().length()).max().orElse(0);
        double least = Math.max(columns.size() * LEAST_FOR_SAMPLES, longest * LETTER) + GAP;
        int most = (int) Math.clamp((width() - LEFT - RIGHT + GAP) / least, 1, panels.size());
        return Math.ceilDiv(panels.size(), Math.ceilDiv(panels.size(), most));
    }

    private int panelHeight() {
        return nameHeight() + rows.size() * ROW + TICKS;
    }

    private int nameHeight() {
        return panels.stream().allMatch(panel -> panel.name().isEmpty()) ? 0 : NAME;
    }

    @Override
    public String description() {
        double[] known = panels.stream()
                .flatMapToDouble(panel -> Arrays.stream(panel.known()))
                .toArray();
        return String.format(
                Locale.ROOT,
                "%d cells of %s, mean %s, lowest %s, %d of them full",
                known.length,
                extent(),
                Quantity.share(Arrays.stream(known).average().orElse(Double.NaN)),
                Quantity.share(Arrays.stream(known).min().orElse(Double.NaN)),
                Arrays.stream(known).filter(share -> share >= 1).count());
    }

    private String extent() {
        int least = samples().min().orElse(0);
        int most = samples().max().orElse(0);
        String range = least == most ? "" + least : least + " to " + most;
        return range + (most == 1 ? " sample" : " samples");
    }

    /// Numbers of samples of all cells that have a share.
    private IntStream samples() {
        return panels.stream()
                .flatMap(panel -> Stream.of(panel.samples()))
                .flatMapToInt(Arrays::stream)
                .filter(count -> count > 0);
    }

    private boolean hasEmpty() {
        return panels.stream().anyMatch(panel -> panel.known().length < rows.size() * columns.size());
    }

    @Override
    public void draw(Canvas canvas) {
        canvas.text(LEFT, 18, TextStyle.LABEL.bold(), title);
        int abreast = panelsAbreast();
        double pitch = (width() - LEFT - RIGHT + GAP) / (double) abreast;
        double cell = Math.min(MOST_WIDE, (pitch - GAP) / columns.size());
        boolean saysSamples = cell >= LEAST_FOR_SAMPLES && samples().anyMatch(count -> count > 1);
        var cells = new HeatCells(canvas, cell, ROW, saysSamples);
        for (int i = 0; i < panels.size(); i++) {
            double x = LEFT + i % abreast * pitch;
            int line = i / abreast;
            double y = TOP + (double) line * panelHeight();
            if (nameHeight() > 0) {
                canvas.text(x, y + 12, TextStyle.LABEL, panels.get(i).name());
            }
            y += nameHeight();
            if (i % abreast == 0) {
                rowNames(canvas, y);
            }
            panel(cells, panels.get(i), x, y);
            columnNames(canvas, x, y + rows.size() * ROW + 16, cell);
        }
        double bottom = height() - LEGEND;
        double widest = (abreast - 1) * pitch + columns.size() * cell;
        canvas.text(LEFT + widest / 2, bottom + 8, TextStyle.TICK, xLabel);
        legend(canvas, bottom + 24);
    }

    private void rowNames(Canvas canvas, double top) {
        for (int row = 0; row < rows.size(); row++) {
            double y = top + row * ROW + ROW / 2.0 + 4;
            canvas.text(LEFT - 8, y, TextStyle.TICK.at(Anchor.END), rows.get(row));
        }
        canvas.rotatedText(14, top + rows.size() * ROW / 2.0, TextStyle.TICK, yLabel);
    }

    private void panel(HeatCells cells, Panel panel, double left, double top) {
        double width = cells.width();
        for (int row = 0; row < rows.size(); row++) {
            for (int column = 0; column < columns.size(); column++) {
                double share = panel.shares()[row][column];
                String place = columns.get(column) + ", " + rows.get(row);
                cells.draw(left + column * width, top + row * ROW, share, panel.samples()[row][column], place);
            }
        }
    }

    private void columnNames(Canvas canvas, double left, double y, double cell) {
        int stride = (int) Math.ceil(38 / cell);
        for (int column = 0; column < columns.size(); column += stride) {
            canvas.text(left + (column + 0.5) * cell, y, TextStyle.TICK, columns.get(column));
        }
    }

    private void legend(Canvas canvas, double y) {
        for (int level = 0; level < HeatCells.LEVELS; level++) {
            entry(canvas, LEFT + level * ENTRY, y, HeatCells.ink(level), LEVEL_NAMES[level]);
        }
        if (hasEmpty()) {
            entry(canvas, LEFT + HeatCells.LEVELS * ENTRY, y, HeatCells.EMPTY, "no sample");
        }
    }

    private static void entry(Canvas canvas, double x, double y, ShapeStyle ink, String name) {
        canvas.rect(x, y, 14, 14, ink);
        canvas.text(x + 19, y + 11, TextStyle.TICK.at(Anchor.START), name);
    }
}
