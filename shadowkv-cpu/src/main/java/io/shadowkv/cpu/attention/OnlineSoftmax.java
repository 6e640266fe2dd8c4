package io.shadowkv.cpu.attention;

import io.shadowkv.cpu.linear.MicroKernel;
import io.shadowkv.cpu.vector.Scratch;
import io.shadowkv.cpu.vector.Scratch.Use;
import io.shadowkv.cpu.vector.VectorMath;
import io.shadowkv.cpu.vector.VectorWidth;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/// Scores, largest scores, totals and weighted sums of a tile of query rows; the lanes of a vector
/// are rows.
///
/// Scores and weights are `[panel][TILE_KEYS][PANEL]`, sums `[panel][headDim rounded up][PANEL]`.
final class OnlineSoftmax {
    /// Lower than every score; its weight is at most 2^-126.
    private static final float HIDDEN = -1e30f;

    /// More keys than any sequence has, but no more than may be added to a position.
    private static final int ALL_KEYS = 1 << 30;

    private static final int PANEL = MicroKernel.PANEL;
    private static final int LANES = VectorWidth.LANES;

    private final int panels;
    private final int headDim;
    private final int sumRows;
    private final float[] scores;
    private final float[] sums;
    /// For each row: the largest score so far, the total of the weights, and two intermediate
    /// values of a tile.
    private final float[] state;
    private final int[] limits;
    private int sinkKeys;
    private int nearestKeys = ALL_KEYS;

    OnlineSoftmax(int panels, int headDim, Scratch scratch) {
        this.panels = panels;
        this.headDim = headDim;
        sumRows = Math.ceilDiv(headDim, MicroKernel.ROWS) * MicroKernel.ROWS;
        scores = scratch.floats(Use.SCORES, panels * TileProducts.TILE_KEYS * PANEL);
        sums = scratch.floats(Use.SUMS, panels * sumRows * PANEL);
        state = scratch.floats(Use.STATE, 4 * panels * PANEL);
        limits = new int[panels * PANEL];
        Arrays.fill(sums, 0, panels * sumRows * PANEL, 0);
        Arrays.fill(state, 0, panels * PANEL, HIDDEN);
        Arrays.fill(state, panels * PANEL, 2 * panels * PANEL, 0);
    }

    /// Sets the causal limits: row r reads `first + r / groupSize` keys; rows beyond the tile read
    /// all.
    void limits(int rows, int groupSize, int first) {
        for (int r = 0; r < limits.length; r++) {
            limits[r] = r < rows ? first + r / groupSize : Integer.MAX_VALUE;
        }
    }

    /// Limits what [#weigh] shows: a row reads keys before `sink`, and its `nearest` newest keys.
    void band(int sink, int nearest) {
        sinkKeys = sink;
        nearestKeys = nearest;
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
        return panel * TileProducts.TILE_KEYS * PANEL;
    }

    int sumsAt(int panel) {
        return panel * sumRows * PANEL;
    }

    void clearScores() {
        Arrays.fill(scores, 0, panels * TileProducts.TILE_KEYS * PANEL, 0);
    }

    /// Converts the scores of keys `from` to `from + count` (exclusive) to weights relative to the
    /// largest score so far, and rescales totals and sums to it.
    void weigh(int from, int count) {
        for (int panel = 0; panel < panels; panel++) {
            if (limits[panel * PANEL] < from + count) {
                hide(panel, from, count);
            }
            if (nearestKeys < ALL_KEYS && from + count > sinkKeys) {
                hideDistant(panel, from, count);
            }
            weighPanel(panel, count);
        }
    }

    /// Like [#weigh], for single keys in any order, without the band.
    void weighColumns(int[] keys, int count) {
        int last = 0;
        for (int j = 0; j < count; j++) {
            last = Math.max(last, keys[j]);
        }
        for (int panel = 0; panel < panels; panel++) {
            if (limits[panel * PANEL] <= last) {
                for (int lane = 0; lane < PANEL; lane += LANES) {
                    IntVector limit = IntVector.fromArray(VectorWidth.INTS, limits, panel * PANEL + lane);
                    for (int j = 0; j < count; j++) {
                        hideLanes(scoresAt(panel) + j * PANEL + lane, limit.compare(VectorOperators.LE, keys[j]));
                    }
                }
            }
            weighPanel(panel, count);
        }
    }

    /// Like [#weigh], for keys that all rows read and that count `times` each.
    void weighTimes(int times, int count) {
        float added = (float) (Math.log(times) / Math.log(2));
        for (int panel = 0; panel < panels; panel++) {
            int at = scoresAt(panel);
            for (int j = at; j < at + count * PANEL; j += LANES) {
                VectorMath.vector(scores, j).add(added).intoArray(scores, j);
            }
            weighPanel(panel, count);
        }
    }

    /// Hides keys from `sinkKeys` on that are not among the row's newest.
    private void hideDistant(int panel, int from, int count) {
        for (int lane = 0; lane < PANEL; lane += LANES) {
            IntVector limit = IntVector.fromArray(VectorWidth.INTS, limits, panel * PANEL + lane);
            for (int j = Math.max(0, sinkKeys - from); j < count; j++) {
                var hidden = limit.compare(VectorOperators.GT, from + j + nearestKeys);
                hideLanes(scoresAt(panel) + j * PANEL + lane, hidden);
            }
        }
    }

    private void hideLanes(int at, VectorMask<Integer> hidden) {
        VectorMath.vector(scores, at)
                .blend(HIDDEN, hidden.cast(VectorWidth.FLOATS))
                .intoArray(scores, at);
    }

    /// Hides keys after the row's own key.
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

    /// Processes both vectors of the panel together, so that each hides the latencies of the other.
    private void weighPanel(int panel, int count) {
        int row = panel * PANEL;
        int at = scoresAt(panel);
        int end = at + count * PANEL;
        float[] weights = scores;
        FloatVector beforeX = VectorMath.vector(state, row);
        FloatVector beforeY = VectorMath.vector(state, row + LANES);
        FloatVector largestX = beforeX;
        FloatVector largestY = beforeY;
        for (int j = at; j < end; j += PANEL) {
            largestX = VectorMath.vector(weights, j).max(largestX);
            largestY = VectorMath.vector(weights, j + LANES).max(largestY);
        }
        FloatVector totalX = VectorWidth.zero();
        FloatVector totalY = VectorWidth.zero();
        for (int j = at; j < end; j += PANEL) {
            FloatVector x = VectorMath.exp2(VectorMath.vector(weights, j).sub(largestX));
            FloatVector y =
                    VectorMath.exp2(VectorMath.vector(weights, j + LANES).sub(largestY));
            x.intoArray(weights, j);
            y.intoArray(weights, j + LANES);
            totalX = x.add(totalX);
            totalY = y.add(totalY);
        }
        largestX.intoArray(state, row);
        largestY.intoArray(state, row + LANES);
        boolean raised = beforeX.lt(largestX).or(beforeY.lt(largestY)).anyTrue();
        beforeX.sub(largestX).intoArray(state, factorsAt(row));
        beforeY.sub(largestY).intoArray(state, factorsAt(row) + LANES);
        totalX.intoArray(state, addedAt(row));
        totalY.intoArray(state, addedAt(row) + LANES);
        for (int lane = 0; lane < PANEL; lane += LANES) {
            shrink(row + lane, raised ? sumsAt(panel) + lane : -1);
        }
    }

    /// Rescales the totals of a vector, and its sums if there are any at `sumsAt`, to the new
    /// largest score.
    ///
    /// Vectors are passed through memory: as arguments they would become objects.
    private void shrink(int row, int sumsAt) {
        FloatVector factor = VectorMath.exp2(VectorMath.vector(state, factorsAt(row)));
        VectorMath.vector(state, totalsAt(row))
                .fma(factor, VectorMath.vector(state, addedAt(row)))
                .intoArray(state, totalsAt(row));
        if (sumsAt < 0) {
            return;
        }
        for (int e = 0; e < headDim; e++) {
            VectorMath.vector(sums, sumsAt + e * PANEL).mul(factor).intoArray(sums, sumsAt + e * PANEL);
        }
    }

    private int totalsAt(int row) {
        return panels * PANEL + row;
    }

    private int factorsAt(int row) {
        return 2 * panels * PANEL + row;
    }

    private int addedAt(int row) {
        return 3 * panels * PANEL + row;
    }

    /// The attention output of row r, `headDim` floats.
    void result(int r, float[] row) {
        float factor = 1 / state[totalsAt(r)];
        int at = sumsAt(r / PANEL) + r % PANEL;
        for (int e = 0; e < headDim; e++) {
            row[e] = sums[at + e * PANEL] * factor;
        }
    }
}
