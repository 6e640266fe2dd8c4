package io.shadowkv.cpu.linear;

import io.shadowkv.cpu.vector.FloatRows;
import io.shadowkv.cpu.vector.LaneSum;
import io.shadowkv.cpu.vector.VectorMath;
import io.shadowkv.cpu.vector.VectorWidth;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// Dot products of one vector with rows that are read from memory once and widened in registers,
/// four rows at a time.
///
/// BF16 is read in pairs, as ints: shifting the lower half up and masking the upper half in place
/// widens both without a shuffle, if the other factor is arranged in the same order ([#arrange]).
/// F16 needs too many steps for one loop, so that the compiler no longer keeps all vectors in
/// registers; [FloatRows] widens it first.
///
/// Each type has a loop of its own, although the loops begin and end alike. One loop with a branch
/// on the type took 11 times as long for BF16 in a process that also reads F32 (1,024 inputs, 64
/// rows, 512 bits; `STREAMED_ROWS` in `docs/bench/cpu.jsonl`).
final class StreamedRows {
    private static final int LANES = VectorWidth.LANES;
    /// Bytes of one vector of floats.
    private static final long HALF_STEP = (long) LANES * Float.BYTES;
    private static final int PAIR = 2 * LANES;
    private static final int ROWS = LaneSum.GROUP;
    private static final int UPPER = 0xFFFF_0000;

    private final FloatRows rows;
    private final MemorySegment segment;
    private final int inputs;

    /// @param weight `[any, inputs]`, F32 or BF16
    StreamedRows(Tensor weight) {
        rows = new FloatRows(weight);
        segment = rows.segment();
        inputs = weight.inputs();
    }

    static boolean supports(DType dtype) {
        return dtype == DType.F32 || dtype == DType.BF16;
    }

    /// Arranges `x` in the order in which elements of `dtype` are read: of each complete pair of
    /// vectors, first the elements with even indices, then those with odd ones.
    static void arrange(float[] x, int inputs, DType dtype) {
        if (dtype == DType.F32) {
            return;
        }
        float[] pair = new float[PAIR];
        for (int at = 0; at <= inputs - PAIR; at += PAIR) {
            System.arraycopy(x, at, pair, 0, PAIR);
            for (int i = 0; i < LANES; i++) {
                x[at + i] = pair[2 * i];
                x[at + LANES + i] = pair[2 * i + 1];
            }
        }
    }

    /// `sums[o - first] += x · row o` for rows `first` to `last` (exclusive); x must be arranged.
    void addDots(float[] x, int first, int last, float[] sums) {
        int whole = inputs / PAIR * PAIR;
        float[] lanes = new float[ROWS * LANES];
        for (int row = first; row < last; row += ROWS) {
            if (rows.dtype() == DType.F32) {
                dotF32(x, row, last - 1, whole, lanes);
            } else {
                dotBf16(x, row, last - 1, whole, lanes);
            }
            LaneSum.fours(lanes, 1);
            for (int i = 0; i < Math.min(ROWS, last - row); i++) {
                sums[row - first + i] += lanes[LaneSum.place(0, i)] + rest(x, row + i, whole);
            }
        }
    }

    private float rest(float[] x, int row, int from) {
        if (from == inputs) {
            return 0;
        }
        float[] elements = new float[inputs - from];
        rows.load((long) row * inputs + from, elements, 0, elements.length);
        return VectorMath.dot(x, from, elements, 0, elements.length);
    }

    /// @param lanes receives one vector per row, whose lanes the caller must sum
    private void dotF32(float[] x, int row, int last, int count, float[] lanes) {
        long a = byteAt(row, last);
        long b = byteAt(row + 1, last);
        long c = byteAt(row + 2, last);
        long d = byteAt(row + 3, last);
        FloatVector evenA = VectorWidth.zero();
        FloatVector oddA = VectorWidth.zero();
        FloatVector evenB = VectorWidth.zero();
        FloatVector oddB = VectorWidth.zero();
        FloatVector evenC = VectorWidth.zero();
        FloatVector oddC = VectorWidth.zero();
        FloatVector evenD = VectorWidth.zero();
        FloatVector oddD = VectorWidth.zero();
        for (int k = 0; k < count; k += PAIR) {
            FloatVector even = VectorMath.vector(x, k);
            FloatVector odd = VectorMath.vector(x, k + LANES);
            long at = (long) k * Float.BYTES;
            evenA = even.fma(floats(a + at), evenA);
            oddA = odd.fma(floats(a + at + HALF_STEP), oddA);
            evenB = even.fma(floats(b + at), evenB);
            oddB = odd.fma(floats(b + at + HALF_STEP), oddB);
            evenC = even.fma(floats(c + at), evenC);
            oddC = odd.fma(floats(c + at + HALF_STEP), oddC);
            evenD = even.fma(floats(d + at), evenD);
            oddD = odd.fma(floats(d + at + HALF_STEP), oddD);
        }
        evenA.add(oddA).intoArray(lanes, 0);
        evenB.add(oddB).intoArray(lanes, 1 * LANES);
        evenC.add(oddC).intoArray(lanes, 2 * LANES);
        evenD.add(oddD).intoArray(lanes, 3 * LANES);
    }

    private void dotBf16(float[] x, int row, int last, int count, float[] lanes) {
        long a = byteAt(row, last);
        long b = byteAt(row + 1, last);
        long c = byteAt(row + 2, last);
        long d = byteAt(row + 3, last);
        FloatVector evenA = VectorWidth.zero();
        FloatVector oddA = VectorWidth.zero();
        FloatVector evenB = VectorWidth.zero();
        FloatVector oddB = VectorWidth.zero();
        FloatVector evenC = VectorWidth.zero();
        FloatVector oddC = VectorWidth.zero();
        FloatVector evenD = VectorWidth.zero();
        FloatVector oddD = VectorWidth.zero();
        for (int k = 0; k < count; k += PAIR) {
            FloatVector even = VectorMath.vector(x, k);
            FloatVector odd = VectorMath.vector(x, k + LANES);
            long at = (long) k * Short.BYTES;
            IntVector aPairs = ints(a + at);
            evenA = even.fma(aPairs.lanewise(VectorOperators.LSHL, Short.SIZE).reinterpretAsFloats(), evenA);
            oddA = odd.fma(aPairs.and(UPPER).reinterpretAsFloats(), oddA);
            IntVector bPairs = ints(b + at);
            evenB = even.fma(bPairs.lanewise(VectorOperators.LSHL, Short.SIZE).reinterpretAsFloats(), evenB);
            oddB = odd.fma(bPairs.and(UPPER).reinterpretAsFloats(), oddB);
            IntVector cPairs = ints(c + at);
            evenC = even.fma(cPairs.lanewise(VectorOperators.LSHL, Short.SIZE).reinterpretAsFloats(), evenC);
            oddC = odd.fma(cPairs.and(UPPER).reinterpretAsFloats(), oddC);
            IntVector dPairs = ints(d + at);
            evenD = even.fma(dPairs.lanewise(VectorOperators.LSHL, Short.SIZE).reinterpretAsFloats(), evenD);
            oddD = odd.fma(dPairs.and(UPPER).reinterpretAsFloats(), oddD);
        }
        evenA.add(oddA).intoArray(lanes, 0);
        evenB.add(oddB).intoArray(lanes, 1 * LANES);
        evenC.add(oddC).intoArray(lanes, 2 * LANES);
        evenD.add(oddD).intoArray(lanes, 3 * LANES);
    }

    /// Offset of a row; beyond the last row, that of the last row, whose dot product is not used.
    private long byteAt(int row, int last) {
        return (long) Math.min(row, last) * inputs * rows.dtype().bytes();
    }

    private FloatVector floats(long at) {
        return FloatVector.fromMemorySegment(VectorWidth.FLOATS, segment, at, VectorWidth.ORDER);
    }

    private IntVector ints(long at) {
        return IntVector.fromMemorySegment(VectorWidth.INTS, segment, at, VectorWidth.ORDER);
    }
}
