package io.shadowkv.cpu.eigen;

import io.shadowkv.cpu.vector.VectorWidth;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorSpecies;

/// Loops over rows of doubles: the inner loops of the eigenvector computation.
public final class DoubleRows {
    static final VectorSpecies<Double> DOUBLES = VectorWidth.FLOATS.withLanes(double.class);
    static final int LANES = DOUBLES.length();
    private static final double SMALLEST_PIVOT = 1e-290;

    private DoubleRows() {}

    /// Sum of `x[i] * y[i]` for i from `from` to `to` (exclusive).
    public static double dot(double[] x, double[] y, int from, int to) {
        DoubleVector even = DoubleVector.zero(DOUBLES);
        DoubleVector odd = DoubleVector.zero(DOUBLES);
        int i = from;
        for (; i <= to - 2 * LANES; i += 2 * LANES) {
            even = vector(x, i).fma(vector(y, i), even);
            odd = vector(x, i + LANES).fma(vector(y, i + LANES), odd);
        }
        double sum = DoubleLaneSum.of(even.add(odd));
        for (; i < to; i++) {
            sum += x[i] * y[i];
        }
        return sum;
    }

    /// `y += factor * x` for elements `from` to `to` (exclusive).
    static void addScaled(double factor, double[] x, double[] y, int from, int to) {
        int i = from;
        for (; i <= to - LANES; i += LANES) {
            vector(x, i).fma(broadcast(factor), vector(y, i)).intoArray(y, i);
        }
        for (; i < to; i++) {
            y[i] += factor * x[i];
        }
    }

    /// `x, y = cosine * x - sine * y, sine * x + cosine * y`.
    static void turn(double[] x, double[] y, double cosine, double sine) {
        int i = 0;
        for (; i <= x.length - LANES; i += LANES) {
            DoubleVector first = vector(x, i);
            DoubleVector second = vector(y, i);
            first.mul(cosine).sub(second.mul(sine)).intoArray(x, i);
            first.mul(sine).add(second.mul(cosine)).intoArray(y, i);
        }
        for (; i < x.length; i++) {
            double kept = x[i];
            x[i] = cosine * kept - sine * y[i];
            y[i] = sine * kept + cosine * y[i];
        }
    }

    /// `sums += sum over k < count of a[k] * rows[k]`, up to element `to`.
    static void addCombination(double[] a, int count, double[][] rows, double[] sums, int to) {
        int k = 0;
        for (; k <= count - 4; k += 4) {
            addFour(a, k, rows, sums, to);
        }
        for (; k < count; k++) {
            addScaled(a[k], rows[k], sums, 0, to);
        }
    }

    private static void addFour(double[] a, int k, double[][] rows, double[] sums, int to) {
        double[] r0 = rows[k];
        double[] r1 = rows[k + 1];
        double[] r2 = rows[k + 2];
        double[] r3 = rows[k + 3];
        int i = 0;
        for (; i <= to - LANES; i += LANES) {
            DoubleVector sum = vector(r0, i).fma(broadcast(a[k]), vector(sums, i));
            sum = vector(r1, i).fma(broadcast(a[k + 1]), sum);
            sum = vector(r2, i).fma(broadcast(a[k + 2]), sum);
            vector(r3, i).fma(broadcast(a[k + 3]), sum).intoArray(sums, i);
        }
        for (; i < to; i++) {
            sums[i] += a[k] * r0[i] + a[k + 1] * r1[i] + a[k + 2] * r2[i] + a[k + 3] * r3[i];
        }
    }

    /// Adds the contribution of row `i` of a symmetric matrix' lower triangle to
    /// `sums += matrix * x`.
    static void multiplyLower(double[] row, int i, double[] x, double[] sums) {
        addScaled(x[i], row, sums, 0, i);
        sums[i] += dot(row, x, 0, i + 1);
    }

    /// Like [#multiplyLower], for rows `i` to `i + 4` (exclusive).
    static void multiplyFourLower(double[][] rows, int i, double[] x, double[] sums) {
        double[] r0 = rows[i];
        double[] r1 = rows[i + 1];
        double[] r2 = rows[i + 2];
        double[] r3 = rows[i + 3];
        DoubleVector s0 = DoubleVector.zero(DOUBLES);
        DoubleVector s1 = s0;
        DoubleVector s2 = s0;
        DoubleVector s3 = s0;
        int j = 0;
        for (; j <= i - LANES; j += LANES) {
            DoubleVector element = vector(x, j);
            DoubleVector v0 = vector(r0, j);
            DoubleVector v1 = vector(r1, j);
            DoubleVector v2 = vector(r2, j);
            DoubleVector v3 = vector(r3, j);
            s0 = v0.fma(element, s0);
            s1 = v1.fma(element, s1);
            s2 = v2.fma(element, s2);
            s3 = v3.fma(element, s3);
            DoubleVector sum = v0.fma(broadcast(x[i]), vector(sums, j));
            sum = v1.fma(broadcast(x[i + 1]), sum);
            sum = v2.fma(broadcast(x[i + 2]), sum);
            v3.fma(broadcast(x[i + 3]), sum).intoArray(sums, j);
        }
        sums[i] += DoubleLaneSum.of(s0);
        sums[i + 1] += DoubleLaneSum.of(s1);
        sums[i + 2] += DoubleLaneSum.of(s2);
        sums[i + 3] += DoubleLaneSum.of(s3);
        multiplyCorner(rows, i, j, x, sums);
    }

    /// Handles the columns from `from` on of rows `i` to `i + 4` (exclusive).
    private static void multiplyCorner(double[][] rows, int i, int from, double[] x, double[] sums) {
        for (int r = i; r < i + 4; r++) {
            double[] row = rows[r];
            double sum = row[r] * x[r];
            for (int j = from; j < r; j++) {
                sums[j] += row[j] * x[r];
                sum += row[j] * x[j];
            }
            sums[r] += sum;
        }
    }

    /// Reflects four vectors: `x -= (v · x) * v` over the elements below `to`, for vectors `from`
    /// to `from + 4` (exclusive).
    public static void reflectFour(double[] v, double[][] vectors, int from, int to) {
        double[] x0 = vectors[from];
        double[] x1 = vectors[from + 1];
        double[] x2 = vectors[from + 2];
        double[] x3 = vectors[from + 3];
        DoubleVector s0 = DoubleVector.zero(DOUBLES);
        DoubleVector s1 = s0;
        DoubleVector s2 = s0;
        DoubleVector s3 = s0;
        int i = 0;
        for (; i <= to - LANES; i += LANES) {
            DoubleVector element = vector(v, i);
            s0 = vector(x0, i).fma(element, s0);
            s1 = vector(x1, i).fma(element, s1);
            s2 = vector(x2, i).fma(element, s2);
            s3 = vector(x3, i).fma(element, s3);
        }
        addScaled(-dotWithTail(s0, v, x0, i, to), v, x0, 0, to);
        addScaled(-dotWithTail(s1, v, x1, i, to), v, x1, 0, to);
        addScaled(-dotWithTail(s2, v, x2, i, to), v, x2, 0, to);
        addScaled(-dotWithTail(s3, v, x3, i, to), v, x3, 0, to);
    }

    private static double dotWithTail(DoubleVector sums, double[] v, double[] x, int from, int to) {
        double sum = DoubleLaneSum.of(sums);
        for (int i = from; i < to; i++) {
            sum += v[i] * x[i];
        }
        return sum;
    }

    /// Counts, for each of `2 * LANES` shifts, the eigenvalues of a tridiagonal matrix below the
    /// shift: the number of negative pivots of its elimination (Sturm).
    static void countBelow(double[] diagonal, double[] offDiagonalSquares, double[] shifts, double[] counts) {
        DoubleVector shift0 = vector(shifts, 0);
        DoubleVector shift1 = vector(shifts, LANES);
        DoubleVector count0 = DoubleVector.zero(DOUBLES);
        DoubleVector count1 = count0;
        DoubleVector pivot0 = broadcast(1);
        DoubleVector pivot1 = pivot0;
        double square = 0;
        for (int i = 0; i < diagonal.length; i++) {
            DoubleVector element = broadcast(diagonal[i]);
            DoubleVector offDiagonal = broadcast(square);
            pivot0 = notZero(element.sub(shift0).sub(offDiagonal.div(pivot0)));
            pivot1 = notZero(element.sub(shift1).sub(offDiagonal.div(pivot1)));
            count0 = count0.add(1, pivot0.lt(0));
            count1 = count1.add(1, pivot1.lt(0));
            square = offDiagonalSquares[i];
        }
        count0.intoArray(counts, 0);
        count1.intoArray(counts, LANES);
    }

    /// A pivot close to zero counts as negative, and its quotient stays finite.
    private static DoubleVector notZero(DoubleVector pivot) {
        return pivot.blend(-SMALLEST_PIVOT, pivot.abs().lt(SMALLEST_PIVOT));
    }

    private static DoubleVector broadcast(double value) {
        return DoubleVector.broadcast(DOUBLES, value);
    }

    private static DoubleVector vector(double[] x, int at) {
        return DoubleVector.fromArray(DOUBLES, x, at);
    }
}
