package io.shadowkv.cpu.eigen;

import io.shadowkv.cpu.vector.LaneSum;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorShuffle;

/// Like [LaneSum] for doubles, with the same order of additions.
final class DoubleLaneSum {
    private static final int DOUBLES = DoubleRows.LANES;
    private static final VectorShuffle<Double> DOUBLES_BY_4 = LaneSum.swap(DoubleRows.DOUBLES, 4);
    private static final VectorShuffle<Double> DOUBLES_BY_2 = LaneSum.swap(DoubleRows.DOUBLES, 2);
    private static final VectorShuffle<Double> DOUBLES_BY_1 = LaneSum.swap(DoubleRows.DOUBLES, 1);

    private DoubleLaneSum() {}

    /// The sum over a vector of 2, 4 or 8 lanes.
    static double of(DoubleVector vector) {
        DoubleVector sums = vector;
        if (DOUBLES > 4) {
            sums = sums.add(sums.rearrange(DOUBLES_BY_4));
        }
        if (DOUBLES > 2) {
            sums = sums.add(sums.rearrange(DOUBLES_BY_2));
        }
        return sums.add(sums.rearrange(DOUBLES_BY_1)).lane(0);
    }
}
