package io.shadowkv.eval.report.section;

import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.report.plot.HeatMap;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToIntFunction;

/// Assigns answers to the cells of a heat map's panel.
final class DepthPanel {
    /// Rows or columns of a panel.
    ///
    /// @param size number of rows or columns
    /// @param place returns the row or column of an answer
    record Axis(int size, ToIntFunction<AnswerRecord> place) {}

    private DepthPanel() {}

    /// The mean score of each cell's answers; cells without answers are empty.
    static HeatMap.Panel of(String name, List<AnswerRecord> answers, Axis rows, Axis columns) {
        double[][] shares = new double[rows.size()][columns.size()];
        int[][] samples = new int[rows.size()][columns.size()];
        for (AnswerRecord answer : answers) {
            int row = rows.place().applyAsInt(answer);
            int column = columns.place().applyAsInt(answer);
            shares[row][column] += answer.score();
            samples[row][column]++;
        }
        for (int row = 0; row < shares.length; row++) {
            int[] counts = samples[row];
            double[] sums = shares[row];
            // 0 / 0 is NaN, which marks an empty cell.
            Arrays.setAll(sums, column -> sums[column] / counts[column]);
        }
        return new HeatMap.Panel(name, shares, samples);
    }
}
