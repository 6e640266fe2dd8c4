package io.shadowkv.cpu.eigen;

/// All eigenvalues and eigenvectors of a small symmetric matrix, in double: Householder's reduction
/// to tridiagonal form, then QL steps with implicit shifts (Bowdler, Martin, Reinsch and Wilkinson,
/// Numerische Mathematik 11, 1968).
///
/// Vectors are stored as rows, so that all inner loops are contiguous.
final class SymmetricEigen {
    private static final int MAX_STEPS = 60;

    private final int size;
    /// First the matrix and its reflections; at the end row i is the eigenvector of value i.
    private final double[][] rows;
    private final double[] diagonal;
    private final double[] offDiagonal;
    /// The rounding error of the norm. Without this limit, steps on elements far below the largest
    /// one, whose squares underflow, would never end.
    private double negligible;

    /// @param matrix symmetric, overwritten
    SymmetricEigen(double[][] matrix) {
        size = matrix.length;
        rows = matrix;
        diagonal = new double[size];
        offDiagonal = new double[size];
        reduce();
        iterate();
    }

    /// Indices of the eigenvalues, largest first.
    int[] descending() {
        return java.util.stream.IntStream.range(0, size)
                .boxed()
                .sorted(java.util.Comparator.comparingDouble((Integer i) -> diagonal[i])
                        .reversed())
                .mapToInt(Integer::intValue)
                .toArray();
    }

    double value(int i) {
        return diagonal[i];
    }

    double[] vector(int i) {
        return rows[i];
    }

    /// Applies the reflections that make the matrix tridiagonal; their transposed product replaces
    /// the matrix.
    private void reduce() {
        double[][] reflections = new double[size][];
        for (int k = 0; k < size - 1; k++) {
            double[] v = reflection(k);
            reflections[k] = v;
            diagonal[k] = rows[k][k];
            if (v.length > 0) {
                reflectRest(k, v);
            }
        }
        diagonal[size - 1] = rows[size - 1][size - 1];
        for (int i = 0; i < size; i++) {
            java.util.Arrays.fill(rows[i], 0);
            rows[i][i] = 1;
        }
        for (int k = size - 2; k >= 0; k--) {
            apply(k, reflections[k]);
        }
        transpose();
    }

    /// A vector v of length √2 over columns k+1 and following such that I - v·vᵀ reduces row k to
    /// its first element; empty if the row is already reduced.
    private double[] reflection(int k) {
        double[] row = rows[k];
        double rest = 0;
        double largest = 0;
        for (int j = k + 1; j < size; j++) {
            largest = Math.max(largest, Math.abs(row[j]));
        }
        offDiagonal[k] = row[k + 1];
        if (largest == 0) {
            return new double[0];
        }
        double[] v = new double[size];
        for (int j = k + 1; j < size; j++) {
            v[j] = row[j] / largest;
            rest += v[j] * v[j];
        }
        double length = Math.copySign(Math.sqrt(rest), v[k + 1]);
        offDiagonal[k] = -length * largest;
        v[k + 1] += length;
        double factor = 1 / Math.sqrt(length * v[k + 1]);
        for (int j = k + 1; j < size; j++) {
            v[j] *= factor;
        }
        return v;
    }

    /// Two-sided reflection of the rows and columns after k: `A - v·wᵀ - w·vᵀ` with
    /// `w = A·v - (v·A·v / 2)·v`.
    private void reflectRest(int k, double[] v) {
        double[] w = new double[size];
        double half = 0;
        for (int i = k + 1; i < size; i++) {
            w[i] = DoubleRows.dot(rows[i], v, k + 1, size);
            half += w[i] * v[i];
        }
        DoubleRows.addScaled(-half / 2, v, w, k + 1, size);
        for (int i = k + 1; i < size; i++) {
            DoubleRows.addScaled(-v[i], w, rows[i], k + 1, size);
            DoubleRows.addScaled(-w[i], v, rows[i], k + 1, size);
        }
    }

    /// Multiplies the rows below k by I - v·vᵀ from the left.
    private void apply(int k, double[] v) {
        if (v.length == 0) {
            return;
        }
        double[] sum = new double[size];
        for (int i = k + 1; i < size; i++) {
            DoubleRows.addScaled(v[i], rows[i], sum, k + 1, size);
        }
        for (int i = k + 1; i < size; i++) {
            DoubleRows.addScaled(-v[i], sum, rows[i], k + 1, size);
        }
    }

    private void transpose() {
        for (int i = 0; i < size; i++) {
            for (int j = 0; j < i; j++) {
                double kept = rows[i][j];
                rows[i][j] = rows[j][i];
                rows[j][i] = kept;
            }
        }
    }

    private void iterate() {
        double largest = 0;
        for (int i = 0; i < size; i++) {
            largest = Math.max(largest, Math.max(Math.abs(diagonal[i]), Math.abs(offDiagonal[i])));
        }
        negligible = Math.max(Double.MIN_NORMAL, 1e-3 * Math.ulp(1.0) * largest);
        for (int first = 0; first < size; first++) {
            int steps = 0;
            for (int last = blockEnd(first); last > first; last = blockEnd(first)) {
                if (steps++ == MAX_STEPS) {
                    throw new IllegalArgumentException("no eigenvalues after " + MAX_STEPS + " steps; the matrix ["
                            + size + ", " + size + "] may hold NaN or infinity");
                }
                step(first, last);
            }
        }
    }

    /// The first row from `first` on whose off-diagonal element is negligible.
    private int blockEnd(int first) {
        for (int m = first; m < size - 1; m++) {
            double near = Math.abs(diagonal[m]) + Math.abs(diagonal[m + 1]);
            if (Math.abs(offDiagonal[m]) <= Math.ulp(1.0) * near || Math.abs(offDiagonal[m]) <= negligible) {
                return m;
            }
        }
        return size - 1;
    }

    /// One QL step on rows `first` to `last`, inclusive, with Wilkinson's shift.
    private void step(int first, int last) {
        double g = (diagonal[first + 1] - diagonal[first]) / (2 * offDiagonal[first]);
        double r = Math.hypot(g, 1);
        g = diagonal[last] - diagonal[first] + offDiagonal[first] / (g + Math.copySign(r, g));
        double sine = 1;
        double cosine = 1;
        double p = 0;
        for (int i = last - 1; i >= first; i--) {
            double f = sine * offDiagonal[i];
            double b = cosine * offDiagonal[i];
            r = Math.hypot(f, g);
            offDiagonal[i + 1] = r;
            if (r == 0) {
                diagonal[i + 1] -= p;
                offDiagonal[last] = 0;
                return;
            }
            sine = f / r;
            cosine = g / r;
            g = diagonal[i + 1] - p;
            r = (diagonal[i] - g) * sine + 2 * cosine * b;
            p = sine * r;
            diagonal[i + 1] = g + p;
            g = cosine * r - b;
            DoubleRows.turn(rows[i], rows[i + 1], cosine, sine);
        }
        diagonal[first] -= p;
        offDiagonal[first] = g;
        offDiagonal[last] = 0;
    }
}
