package io.shadowkv.cpu;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// Loops over rows of doubles, and products of matrices that are arrays of rows.
final class DoubleRows {
    private static final VectorSpecies<Double> DOUBLES = VectorWidth.FLOATS.withLanes(double.class);
    private static final int LANES = DOUBLES.length();

    private DoubleRows() {}

    /// Sum of `x[i] * y[i]` from `from` until `to`.
    static double dot(double[] x, double[] y, int from, int to) {
        DoubleVector even = DoubleVector.zero(DOUBLES);
        DoubleVector odd = DoubleVector.zero(DOUBLES);
        int i = from;
        for (; i <= to - 2 * LANES; i += 2 * LANES) {
            even = vector(x, i).fma(vector(y, i), even);
            odd = vector(x, i + LANES).fma(vector(y, i + LANES), odd);
        }
        double sum = even.add(odd).reduceLanes(VectorOperators.ADD);
        for (; i < to; i++) {
            sum += x[i] * y[i];
        }
        return sum;
    }

    /// `y += factor * x` from `from` until `to`.
    static void addScaled(double factor, double[] x, double[] y, int from, int to) {
        int i = from;
        for (; i <= to - LANES; i += LANES) {
            vector(x, i).fma(DoubleVector.broadcast(DOUBLES, factor), vector(y, i)).intoArray(y, i);
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

    /// `sums[i] = sum over k of a[k] * rows[k]`: one row of a product of matrices.
    static void combine(double[] a, double[][] rows, double[] sums) {
        java.util.Arrays.fill(sums, 0);
        int k = 0;
        for (; k <= a.length - 4; k += 4) {
            addFour(a, k, rows, sums);
        }
        for (; k < a.length; k++) {
            addScaled(a[k], rows[k], sums, 0, sums.length);
        }
    }

    private static void addFour(double[] a, int k, double[][] rows, double[] sums) {
        double[] r0 = rows[k];
        double[] r1 = rows[k + 1];
        double[] r2 = rows[k + 2];
        double[] r3 = rows[k + 3];
        int i = 0;
        for (; i <= sums.length - LANES; i += LANES) {
            DoubleVector sum = vector(r0, i).fma(DoubleVector.broadcast(DOUBLES, a[k]), vector(sums, i));
            sum = vector(r1, i).fma(DoubleVector.broadcast(DOUBLES, a[k + 1]), sum);
            sum = vector(r2, i).fma(DoubleVector.broadcast(DOUBLES, a[k + 2]), sum);
            vector(r3, i).fma(DoubleVector.broadcast(DOUBLES, a[k + 3]), sum).intoArray(sums, i);
        }
        for (; i < sums.length; i++) {
            sums[i] += a[k] * r0[i] + a[k + 1] * r1[i] + a[k + 2] * r2[i] + a[k + 3] * r3[i];
        }
    }

    private static DoubleVector vector(double[] x, int at) {
        return DoubleVector.fromArray(DOUBLES, x, at);
    }
}
