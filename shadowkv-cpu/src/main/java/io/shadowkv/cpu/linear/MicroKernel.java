package io.shadowkv.cpu.linear;

import io.shadowkv.cpu.vector.VectorMath;
import io.shadowkv.cpu.vector.VectorWidth;
import jdk.incubator.vector.FloatVector;

/// The inner loops of all matrix products: adds the product of eight rows of a and a panel of b,
/// which is two vectors wide, to an eight-by-panel tile of c. All operands are float arrays that
/// fit the caches.
///
/// A tile of eight by two vectors keeps 16 sums in registers, enough to hide the latency of
/// multiply-add. It reached 97 % of the machine's multiply-add rate (AMD EPYC Zen 4, 512 bits); a
/// tile of twelve by two lost a third of that rate to spilled registers. The loops are unrolled by
/// hand, because the compiler keeps vectors in registers only if they are local variables. [#rows]
/// and [#columns] are separate loops: one loop with the strides of a as parameters was 1 % and 2 %
/// slower on that machine, because the compiler did not remove its range checks. One instance per
/// thread.
public final class MicroKernel {
    /// Rows per tile.
    public static final int ROWS = 8;
    /// Columns per tile: two vectors.
    public static final int PANEL = 2 * VectorWidth.LANES;
    /// Maximum depth of [#rows].
    public static final int DEPTH = 256;
    /// Distance between rows of a: slightly more than the depth, so that rows do not map to the
    /// same cache lines.
    public static final int ROW_STRIDE = DEPTH + 16;

    private static final int LANES = VectorWidth.LANES;

    private final float[] a;
    private final float[] b;
    private final float[] c;

    /// @param a rows ([#ROW_STRIDE] apart) or panels
    /// @param b panels: `[depth, PANEL]`
    /// @param c tiles that the products are added to
    public MicroKernel(float[] a, float[] b, float[] c) {
        this.a = a;
        this.b = b;
        this.c = c;
    }

    /// `c[i, j] += sum over k of a[i * ROW_STRIDE + k] * b[k * PANEL + j]`.
    ///
    /// @param cStride distance between the rows of the tile
    public void rows(int aAt, int bAt, int cAt, int cStride, int depth) {
        float[] rows = a;
        float[] panel = b;
        float[] sums = c;
        FloatVector x0 = VectorMath.vector(sums, cAt);
        FloatVector y0 = VectorMath.vector(sums, cAt + LANES);
        FloatVector x1 = VectorMath.vector(sums, cAt + cStride);
        FloatVector y1 = VectorMath.vector(sums, cAt + cStride + LANES);
        FloatVector x2 = VectorMath.vector(sums, cAt + 2 * cStride);
        FloatVector y2 = VectorMath.vector(sums, cAt + 2 * cStride + LANES);
        FloatVector x3 = VectorMath.vector(sums, cAt + 3 * cStride);
        FloatVector y3 = VectorMath.vector(sums, cAt + 3 * cStride + LANES);
        FloatVector x4 = VectorMath.vector(sums, cAt + 4 * cStride);
        FloatVector y4 = VectorMath.vector(sums, cAt + 4 * cStride + LANES);
        FloatVector x5 = VectorMath.vector(sums, cAt + 5 * cStride);
        FloatVector y5 = VectorMath.vector(sums, cAt + 5 * cStride + LANES);
        FloatVector x6 = VectorMath.vector(sums, cAt + 6 * cStride);
        FloatVector y6 = VectorMath.vector(sums, cAt + 6 * cStride + LANES);
        FloatVector x7 = VectorMath.vector(sums, cAt + 7 * cStride);
        FloatVector y7 = VectorMath.vector(sums, cAt + 7 * cStride + LANES);
        for (int k = 0; k < depth; k++) {
            FloatVector x = VectorMath.vector(panel, bAt + k * PANEL);
            FloatVector y = VectorMath.vector(panel, bAt + k * PANEL + LANES);
            FloatVector a0 = VectorWidth.floats(rows[aAt + k]);
            x0 = a0.fma(x, x0);
            y0 = a0.fma(y, y0);
            FloatVector a1 = VectorWidth.floats(rows[aAt + k + ROW_STRIDE]);
            x1 = a1.fma(x, x1);
            y1 = a1.fma(y, y1);
            FloatVector a2 = VectorWidth.floats(rows[aAt + k + 2 * ROW_STRIDE]);
            x2 = a2.fma(x, x2);
            y2 = a2.fma(y, y2);
            FloatVector a3 = VectorWidth.floats(rows[aAt + k + 3 * ROW_STRIDE]);
            x3 = a3.fma(x, x3);
            y3 = a3.fma(y, y3);
            FloatVector a4 = VectorWidth.floats(rows[aAt + k + 4 * ROW_STRIDE]);
            x4 = a4.fma(x, x4);
            y4 = a4.fma(y, y4);
            FloatVector a5 = VectorWidth.floats(rows[aAt + k + 5 * ROW_STRIDE]);
            x5 = a5.fma(x, x5);
            y5 = a5.fma(y, y5);
            FloatVector a6 = VectorWidth.floats(rows[aAt + k + 6 * ROW_STRIDE]);
            x6 = a6.fma(x, x6);
            y6 = a6.fma(y, y6);
            FloatVector a7 = VectorWidth.floats(rows[aAt + k + 7 * ROW_STRIDE]);
            x7 = a7.fma(x, x7);
            y7 = a7.fma(y, y7);
        }
        x0.intoArray(sums, cAt);
        y0.intoArray(sums, cAt + LANES);
        x1.intoArray(sums, cAt + cStride);
        y1.intoArray(sums, cAt + cStride + LANES);
        x2.intoArray(sums, cAt + 2 * cStride);
        y2.intoArray(sums, cAt + 2 * cStride + LANES);
        x3.intoArray(sums, cAt + 3 * cStride);
        y3.intoArray(sums, cAt + 3 * cStride + LANES);
        x4.intoArray(sums, cAt + 4 * cStride);
        y4.intoArray(sums, cAt + 4 * cStride + LANES);
        x5.intoArray(sums, cAt + 5 * cStride);
        y5.intoArray(sums, cAt + 5 * cStride + LANES);
        x6.intoArray(sums, cAt + 6 * cStride);
        y6.intoArray(sums, cAt + 6 * cStride + LANES);
        x7.intoArray(sums, cAt + 7 * cStride);
        y7.intoArray(sums, cAt + 7 * cStride + LANES);
    }

    /// `c[i, j] += sum over k of a[k * PANEL + i] * b[k * PANEL + j]`: a is eight adjacent columns
    /// of a panel.
    ///
    /// @param cStride distance between the rows of the tile
    public void columns(int aAt, int bAt, int cAt, int cStride, int depth) {
        float[] rows = a;
        float[] panel = b;
        float[] sums = c;
        FloatVector x0 = VectorMath.vector(sums, cAt);
        FloatVector y0 = VectorMath.vector(sums, cAt + LANES);
        FloatVector x1 = VectorMath.vector(sums, cAt + cStride);
        FloatVector y1 = VectorMath.vector(sums, cAt + cStride + LANES);
        FloatVector x2 = VectorMath.vector(sums, cAt + 2 * cStride);
        FloatVector y2 = VectorMath.vector(sums, cAt + 2 * cStride + LANES);
        FloatVector x3 = VectorMath.vector(sums, cAt + 3 * cStride);
        FloatVector y3 = VectorMath.vector(sums, cAt + 3 * cStride + LANES);
        FloatVector x4 = VectorMath.vector(sums, cAt + 4 * cStride);
        FloatVector y4 = VectorMath.vector(sums, cAt + 4 * cStride + LANES);
        FloatVector x5 = VectorMath.vector(sums, cAt + 5 * cStride);
        FloatVector y5 = VectorMath.vector(sums, cAt + 5 * cStride + LANES);
        FloatVector x6 = VectorMath.vector(sums, cAt + 6 * cStride);
        FloatVector y6 = VectorMath.vector(sums, cAt + 6 * cStride + LANES);
        FloatVector x7 = VectorMath.vector(sums, cAt + 7 * cStride);
        FloatVector y7 = VectorMath.vector(sums, cAt + 7 * cStride + LANES);
        for (int k = 0; k < depth; k++) {
            FloatVector x = VectorMath.vector(panel, bAt + k * PANEL);
            FloatVector y = VectorMath.vector(panel, bAt + k * PANEL + LANES);
            FloatVector a0 = VectorWidth.floats(rows[aAt + k * PANEL]);
            x0 = a0.fma(x, x0);
            y0 = a0.fma(y, y0);
            FloatVector a1 = VectorWidth.floats(rows[aAt + k * PANEL + 1]);
            x1 = a1.fma(x, x1);
            y1 = a1.fma(y, y1);
            FloatVector a2 = VectorWidth.floats(rows[aAt + k * PANEL + 2]);
            x2 = a2.fma(x, x2);
            y2 = a2.fma(y, y2);
            FloatVector a3 = VectorWidth.floats(rows[aAt + k * PANEL + 3]);
            x3 = a3.fma(x, x3);
            y3 = a3.fma(y, y3);
            FloatVector a4 = VectorWidth.floats(rows[aAt + k * PANEL + 4]);
            x4 = a4.fma(x, x4);
            y4 = a4.fma(y, y4);
            FloatVector a5 = VectorWidth.floats(rows[aAt + k * PANEL + 5]);
            x5 = a5.fma(x, x5);
            y5 = a5.fma(y, y5);
            FloatVector a6 = VectorWidth.floats(rows[aAt + k * PANEL + 6]);
            x6 = a6.fma(x, x6);
            y6 = a6.fma(y, y6);
            FloatVector a7 = VectorWidth.floats(rows[aAt + k * PANEL + 7]);
            x7 = a7.fma(x, x7);
            y7 = a7.fma(y, y7);
        }
        x0.intoArray(sums, cAt);
        y0.intoArray(sums, cAt + LANES);
        x1.intoArray(sums, cAt + cStride);
        y1.intoArray(sums, cAt + cStride + LANES);
        x2.intoArray(sums, cAt + 2 * cStride);
        y2.intoArray(sums, cAt + 2 * cStride + LANES);
        x3.intoArray(sums, cAt + 3 * cStride);
        y3.intoArray(sums, cAt + 3 * cStride + LANES);
        x4.intoArray(sums, cAt + 4 * cStride);
        y4.intoArray(sums, cAt + 4 * cStride + LANES);
        x5.intoArray(sums, cAt + 5 * cStride);
        y5.intoArray(sums, cAt + 5 * cStride + LANES);
        x6.intoArray(sums, cAt + 6 * cStride);
        y6.intoArray(sums, cAt + 6 * cStride + LANES);
        x7.intoArray(sums, cAt + 7 * cStride);
        y7.intoArray(sums, cAt + 7 * cStride + LANES);
    }
}
