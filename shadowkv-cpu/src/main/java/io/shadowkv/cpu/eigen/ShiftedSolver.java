package io.shadowkv.cpu.eigen;

/// Solves `(T - shift·I)·x = b` for a tridiagonal T by elimination with row exchanges (LAPACK's
/// `dlagtf`). The shift may be an eigenvalue: a zero pivot is replaced by the rounding error of the
/// norm.
final class ShiftedSolver {
    private final int size;
    /// The upper triangle: the diagonal and the two diagonals above it.
    private final double[] pivots;
    private final double[] first;
    private final double[] second;
    private final double[] factors;
    private final boolean[] exchanged;

    ShiftedSolver(double[] diagonal, double[] offDiagonal, double shift, double norm) {
        size = diagonal.length;
        pivots = new double[size];
        first = new double[size];
        second = new double[size];
        factors = new double[size];
        exchanged = new boolean[size];
        double tiny = Math.ulp(1.0) * norm;
        double pivot = diagonal[0] - shift;
        double right = offDiagonal[0];
        for (int i = 0; i < size - 1; i++) {
            double below = offDiagonal[i];
            double next = diagonal[i + 1] - shift;
            if (Math.abs(below) > Math.abs(pivot)) {
                exchanged[i] = true;
                factors[i] = pivot / below;
                pivots[i] = below;
                first[i] = next;
                second[i] = offDiagonal[i + 1];
                pivot = right - factors[i] * next;
                right = -factors[i] * offDiagonal[i + 1];
            } else {
                pivots[i] = atLeast(pivot, tiny);
                factors[i] = below / pivots[i];
                first[i] = right;
                pivot = next - factors[i] * right;
                right = offDiagonal[i + 1];
            }
        }
        pivots[size - 1] = atLeast(pivot, tiny);
    }

    private static double atLeast(double pivot, double tiny) {
        return Math.abs(pivot) < tiny ? Math.copySign(tiny, pivot) : pivot;
    }

    /// Replaces x by the normalised solution for right-hand side x, `times` times.
    void improve(double[] x, int times) {
        for (int time = 0; time < times; time++) {
            for (int i = 0; i < size - 1; i++) {
                if (exchanged[i]) {
                    double kept = x[i];
                    x[i] = x[i + 1];
                    x[i + 1] = kept;
                }
                x[i + 1] -= factors[i] * x[i];
            }
            double after = 0;
            double afterThat = 0;
            for (int i = size - 1; i >= 0; i--) {
                double value = (x[i] - first[i] * after - second[i] * afterThat) / pivots[i];
                x[i] = value;
                afterThat = after;
                after = value;
            }
            normalize(x);
        }
    }

    /// Scales a vector to length 1 without overflow; a zero vector is unchanged.
    ///
    /// @return the length before scaling
    static double normalize(double[] x) {
        double largest = 0;
        for (double value : x) {
            largest = Math.max(largest, Math.abs(value));
        }
        if (largest == 0) {
            return 0;
        }
        for (int i = 0; i < x.length; i++) {
            x[i] /= largest;
        }
        double length = Math.sqrt(DoubleRows.dot(x, x, 0, x.length));
        for (int i = 0; i < x.length; i++) {
            x[i] /= length;
        }
        return length * largest;
    }
}
