package io.shadowkv.cpu.eigen;

import io.shadowkv.cpu.vector.WorkerPool;

/// Decomposes a symmetric matrix as Q · T · Qᵀ with a tridiagonal T, by Householder reflections
/// from the last row up.
///
/// The reflections of `PANEL` rows are collected and subtracted together, so that the matrix is
/// written once per panel and otherwise only read (Dongarra, Hammarling and Sorensen, J. Comput.
/// Appl. Math. 27, 1989; LAPACK's `dsytrd`). The time is limited by reading `size³ / 6` doubles.
final class Tridiagonalization {
    private static final int PANEL = 16;
    /// Minimum number of elements of the lower triangle for which waking a thread pays off.
    private static final int PART_ELEMENTS = 16_384;
    /// Minimum number of rows per task when a panel is subtracted.
    private static final int MIN_ROWS = 16;
    /// Parts per thread: more than one, so that a thread that another program delays does not delay
    /// all.
    private static final int PARTS_PER_THREAD = 2;

    private final WorkerPool pool;
    /// Row i ends with the diagonal. Before: the matrix. After: left of the diagonal, row k holds
    /// the v of a reflection `I - v·vᵀ` of the first k elements.
    private final double[][] rows;
    private final double[] diagonal;
    private final double[] offDiagonal;
    /// The sums of each part of a product.
    private final double[][] partSums;

    /// @param rows the lower triangle; row i has i + 1 elements, of magnitude at most about 1;
    ///     overwritten
    Tridiagonalization(WorkerPool pool, double[][] rows) {
        this.pool = pool;
        this.rows = rows;
        diagonal = new double[rows.length];
        offDiagonal = new double[rows.length];
        partSums = new double[PARTS_PER_THREAD * pool.threads()][rows.length];
        for (int last = rows.length - 1; last > 0; last -= PANEL) {
            reducePanel(last, Math.max(1, last - PANEL + 1));
        }
        diagonal[0] = rows[0][0];
    }

    double[] diagonal() {
        return diagonal;
    }

    /// Element i lies between diagonal elements i and i + 1; the last is 0.
    double[] offDiagonal() {
        return offDiagonal;
    }

    /// Converts eigenvectors of T to those of the matrix, in place.
    void reflectBack(double[][] vectors) {
        pool.ranges(vectors.length, 4, (from, to, scratch) -> {
            for (int k = 1; k < rows.length; k++) {
                if (to - from == 4) {
                    DoubleRows.reflectFour(rows[k], vectors, from, k);
                } else {
                    for (int i = from; i < to; i++) {
                        DoubleRows.addScaled(-DoubleRows.dot(rows[k], vectors[i], 0, k), rows[k], vectors[i], 0, k);
                    }
                }
            }
        });
    }

    /// Reduces rows `last` down to `first`, then applies their reflections to the rows before them.
    private void reducePanel(int last, int first) {
        int count = last - first + 1;
        // v and w of each reflection; - v·wᵀ - w·vᵀ is not yet applied to the matrix.
        double[][] pending = new double[2 * count][];
        double[] factors = new double[2 * count];
        for (int i = 0; i < count; i++) {
            int k = last - i;
            factorsOfRow(k, pending, 2 * i, factors);
            DoubleRows.addCombination(factors, 2 * i, pending, rows[k], k + 1);
            diagonal[k] = rows[k][k];
            offDiagonal[k - 1] = makeReflection(rows[k], k);
            pending[2 * i] = rows[k];
            pending[2 * i + 1] = partner(k, pending, 2 * i);
        }
        pool.ranges(first, rowGrain(first), (from, to, scratch) -> {
            double[] own = new double[2 * count];
            for (int i = from; i < to; i++) {
                factorsOfRow(i, pending, 2 * count, own);
                DoubleRows.addCombination(own, 2 * count, pending, rows[i], i + 1);
            }
        });
    }

    private int rowGrain(int count) {
        return Math.max(MIN_ROWS, Math.ceilDiv(count, 8 * pool.threads()));
    }

    private static void factorsOfRow(int row, double[][] pending, int count, double[] factors) {
        for (int p = 0; p < count; p += 2) {
            factors[p] = -pending[p + 1][row];
            factors[p + 1] = -pending[p][row];
        }
    }

    /// Replaces the first `k` elements x of a row by the v of length √2 for which `I - v·vᵀ`
    /// reduces x to its last element; by zeros if x is zero.
    ///
    /// @return the last element after the reflection
    private static double makeReflection(double[] row, int k) {
        double largest = 0;
        for (int j = 0; j < k; j++) {
            largest = Math.max(largest, Math.abs(row[j]));
        }
        // Below this, squares of the elements are negligible compared with the rounding errors so
        // far.
        if (largest < 1e-150) {
            java.util.Arrays.fill(row, 0, k, 0);
            return 0;
        }
        double inverse = 1 / largest;
        for (int j = 0; j < k; j++) {
            row[j] *= inverse;
        }
        double length = Math.copySign(Math.sqrt(DoubleRows.dot(row, row, 0, k)), row[k - 1]);
        row[k - 1] += length;
        double factor = 1 / Math.sqrt(length * row[k - 1]);
        for (int j = 0; j < k; j++) {
            row[j] *= factor;
        }
        return -length * largest;
    }

    /// `w = A·v - (v·A·v / 2)·v` over the first `k` elements, with the v in row k, and A with all
    /// pending reflections applied.
    private double[] partner(int k, double[][] pending, int count) {
        double[] v = rows[k];
        double[] w = product(k, v);
        double[] factors = new double[count];
        for (int p = 0; p < count; p += 2) {
            factors[p] = -DoubleRows.dot(pending[p + 1], v, 0, k);
            factors[p + 1] = -DoubleRows.dot(pending[p], v, 0, k);
        }
        DoubleRows.addCombination(factors, count, pending, w, k);
        DoubleRows.addScaled(-DoubleRows.dot(w, v, 0, k) / 2, v, w, 0, k);
        return w;
    }

    /// The product of the first `k` rows and columns with v.
    private double[] product(int k, double[] v) {
        double[] sums = new double[k];
        int parts = Math.clamp((long) k * k / 2 / PART_ELEMENTS, 1, partSums.length);
        pool.each(parts, (part, scratch) -> {
            double[] target = parts == 1 ? sums : partSums[part];
            int from = partStart(part, parts, k);
            int to = partStart(part + 1, parts, k);
            java.util.Arrays.fill(target, 0, to, 0);
            int i = from;
            for (; i <= to - 4; i += 4) {
                DoubleRows.multiplyFourLower(rows, i, v, target);
            }
            for (; i < to; i++) {
                DoubleRows.multiplyLower(rows[i], i, v, target);
            }
        });
        for (int part = 0; part < parts && parts > 1; part++) {
            DoubleRows.addScaled(1, partSums[part], sums, 0, partStart(part + 1, parts, k));
        }
        return sums;
    }

    /// Divides the triangle into parts of about equal area.
    private static int partStart(int part, int parts, int k) {
        return part == parts ? k : (int) (k * Math.sqrt((double) part / parts));
    }
}
