package io.shadowkv.cpu;

import io.shadowkv.cpu.Scratch.Use;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// Scores, largest scores, totals and weighted sums of a tile of query rows; rows lie along the vectors.
///
/// Scores and weights are [panel][TILE_KEYS][PANEL], sums [panel][headDim rounded up][PANEL].
final class OnlineSoftmax {
    /// Below every score: its weight is at most 2^-126.
    private static final float HIDDEN = -1e30f;

    private static final int PANEL = MicroKernel.PANEL;
    private static final int LANES = VectorWidth.LANES;

    private final int panels;
    private final int headDim;
    private final int sumRows;
    private final float[] scores;
    private final float[] sums;
    /// For each row: the largest score so far, and the total of the weights.
    private final float[] state;
    private final int[] limits;

    OnlineSoftmax(int panels, int headDim, Scratch scratch) {
        this.panels = panels;
        this.headDim = headDim;
        sumRows = Math.ceilDiv(headDim, MicroKernel.ROWS) * MicroKernel.ROWS;
        scores = scratch.floats(Use.SCORES, panels * PrefillAttention.TILE_KEYS * PANEL);
        sums = scratch.floats(Use.SUMS, panels * sumRows * PANEL);
        state = scratch.floats(Use.STATE, 2 * panels * PANEL);
        limits = new int[panels * PANEL];
        Arrays.fill(sums, 0, panels * sumRows * PANEL, 0);
        Arrays.fill(state, 0, panels * PANEL, HIDDEN);
        Arrays.fill(state, panels * PANEL, 2 * panels * PANEL, 0);
    }

    /// Row r may read `first + r / groupSize` keys; rows beyond the tile read all.
    void limits(int rows, int groupSize, int first) {
        for (int r = 0; r < limits.length; r++) {
            limits[r] = r < rows ? first + r / groupSize : Integer.MAX_VALUE;
        }
    }

    int panels() {
        return panels;
    }

    float[] scores() {
        return scores;
    }

    float[] sums() {
        return sums;
    }

    int scoresAt(int panel) {
        return panel * PrefillAttention.TILE_KEYS * PANEL;
    }

    int sumsAt(int panel) {
        return panel * sumRows * PANEL;
    }

    void clearScores() {
        Arrays.fill(scores, 0, panels * PrefillAttention.TILE_KEYS * PANEL, 0);
    }

    /// Turns the scores of keys `from` until `from + count` into weights relative to the largest score so far, and brings
    /// totals and sums to the same.
    void weigh(int from, int count) {
        for (int panel = 0; panel < panels; panel++) {
            if (limits[panel * PANEL] < from + count) {
                hide(panel, from, count);
            }
            for (int lane = 0; lane < PANEL; lane += LANES) {
                weigh(panel, lane, count);
            }
        }
    }

    /// Keys after a row's own.
    private void hide(int panel, int from, int count) {
        for (int lane = 0; lane < PANEL; lane += LANES) {
            IntVector limit = IntVector.fromArray(VectorWidth.INTS, limits, panel * PANEL + lane);
            for (int j = 0; j < count; j++) {
                int at = scoresAt(panel) + j * PANEL + lane;
                var hidden = limit.compare(VectorOperators.LE, from + j).cast(VectorWidth.FLOATS);
                VectorMath.vector(scores, at).blend(HIDDEN, hidden).intoArray(scores, at);
            }
        }
    }

    private void weigh(int panel, int lane, int count) {
        int row = panel * PANEL + lane;
        int at = scoresAt(panel) + lane;
        FloatVector before = VectorMath.vector(state, row);
        FloatVector largest = before;
        for (int j = 0; j < count; j++) {
            largest = largest.max(VectorMath.vector(scores, at + j * PANEL));
        }
        FloatVector total = VectorWidth.zero();
        for (int j = 0; j < count; j++) {
            FloatVector weight = VectorMath.exp2(VectorMath.vector(scores, at + j * PANEL).sub(largest));
            weight.intoArray(scores, at + j * PANEL);
            total = total.add(weight);
        }
        FloatVector shrink = VectorMath.exp2(before.sub(largest));
        int totals = panels * PANEL + row;
        VectorMath.vector(state, totals).fma(shrink, total).intoArray(state, totals);
        largest.intoArray(state, row);
        if (before.lt(largest).anyTrue()) {
            rescale(sumsAt(panel) + lane, shrink);
        }
    }

    private void rescale(int at, FloatVector factor) {
        for (int e = 0; e < headDim; e++) {
            VectorMath.vector(sums, at + e * PANEL).mul(factor).intoArray(sums, at + e * PANEL);
        }
    }

    /// The attention output of row r, `headDim` floats.
    void result(int r, float[] row) {
        float factor = 1 / state[panels * PANEL + r];
        int at = sumsAt(r / PANEL) + r % PANEL;
        for (int e = 0; e < headDim; e++) {
            row[e] = sums[at + e * PANEL] * factor;
        }
    }
}
