package io.shadowkv.cpu.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/// Sums over the lanes of a vector in a defined order: the upper half of the lanes is added to the lower half, until
/// one lane is left.
///
/// The order of `reduceLanes(ADD)` is unspecified, and the interpreter adds in another order than
/// compiled code. With it, the same prompt and seed gave different texts in different JVMs, and the
/// first answer of a JVM differed from later ones.
public final class LaneSum {
    /// Vectors that are summed together by [#fours].
    public static final int GROUP = 4;

    private static final int LANES = VectorWidth.LANES;
    private static final VectorShuffle<Float> BY_HALF = swap(VectorWidth.FLOATS, LANES / 2);
    private static final VectorShuffle<Float> BY_QUARTER = swap(VectorWidth.FLOATS, LANES / 4);
    private static final VectorShuffle<Float> BY_2 = swap(VectorWidth.FLOATS, 2);
    private static final VectorShuffle<Float> BY_1 = swap(VectorWidth.FLOATS, 1);
    private static final VectorMask<Float> UPPER_HALF = withBit(LANES / 2);
    private static final VectorMask<Float> UPPER_QUARTER = withBit(LANES / 4);

    private LaneSum() {}

    /// Swaps lanes whose indices differ by `distance`, a power of two.
    public static <E> VectorShuffle<E> swap(VectorSpecies<E> species, int distance) {
        return VectorShuffle.fromOp(species, lane -> (lane ^ distance) % species.length());
    }

    /// The lanes whose index has `bit` set.
    private static VectorMask<Float> withBit(int bit) {
        boolean[] lanes = new boolean[LANES];
        for (int lane = 0; lane < LANES; lane++) {
            lanes[lane] = (lane & bit) != 0;
        }
        return VectorMask.fromArray(VectorWidth.FLOATS, lanes, 0);
    }

    /// The sum over a vector of 4, 8 or 16 lanes.
    public static float of(FloatVector vector) {
        FloatVector sums = vector.add(vector.rearrange(BY_HALF));
        sums = sums.add(sums.rearrange(BY_QUARTER));
        if (LANES > 8) {
            sums = sums.add(sums.rearrange(BY_2));
        }
        if (LANES > 4) {
            sums = sums.add(sums.rearrange(BY_1));
        }
        return sums.lane(0);
    }

    /// Sums over many vectors, four at the cost of two: stores the sum of
    /// `lanes[(4 * g + i) * LANES..]` in `lanes[place(g, i)]`. The rest of the array is
    /// overwritten.
    ///
    /// Vectors are passed through memory, and the steps are not separate methods: in a kernel with
    /// many sums that reaches the compiler's node limit, vectors that are arguments become objects
    /// (4 times slower).
    ///
    /// @param groups number of groups of four vectors
    public static void fours(float[] lanes, int groups) {
        for (int at = 0; at < groups * GROUP * LANES; at += GROUP * LANES) {
            FloatVector a = FloatVector.fromArray(VectorWidth.FLOATS, lanes, at);
            FloatVector b = FloatVector.fromArray(VectorWidth.FLOATS, lanes, at + LANES);
            FloatVector c = FloatVector.fromArray(VectorWidth.FLOATS, lanes, at + 2 * LANES);
            FloatVector d = FloatVector.fromArray(VectorWidth.FLOATS, lanes, at + 3 * LANES);
            FloatVector ac = a.add(a.rearrange(BY_HALF)).blend(c.add(c.rearrange(BY_HALF)), UPPER_HALF);
            FloatVector bd = b.add(b.rearrange(BY_HALF)).blend(d.add(d.rearrange(BY_HALF)), UPPER_HALF);
            FloatVector all = ac.add(ac.rearrange(BY_QUARTER)).blend(bd.add(bd.rearrange(BY_QUARTER)), UPPER_QUARTER);
            if (LANES > 8) {
                all = all.add(all.rearrange(BY_2));
            }
            if (LANES > 4) {
                all = all.add(all.rearrange(BY_1));
            }
            all.intoArray(lanes, at);
        }
    }

    /// Index at which [#fours] stores the sum of vector `i` of group `g`.
    public static int place(int g, int i) {
        return g * GROUP * LANES + i * (LANES / GROUP);
    }
}
