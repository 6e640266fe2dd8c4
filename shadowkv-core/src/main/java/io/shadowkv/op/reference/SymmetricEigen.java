package io.shadowkv.op.reference;

import java.util.Comparator;
import java.util.stream.IntStream;

/// All eigenvalues and eigenvectors of a symmetric matrix: Householder reduction to tridiagonal
/// form, then QL steps with implicit shift (Golub and Van Loan, Matrix Computations, 8.3; EISPACK's
/// tred2 and imtql2 are the classic implementations).
///
/// About 9·n³ operations. Vectors are kept as rows, so that every inner loop is contiguous.
final class SymmetricEigen {
    private static final int MOST_STEPS = 60;

    private final int size;
    private final double[] diagonal;
    private final double[] offDiagonal;
    private final double[][] vectors;

    /// @param matrix `[n][n]`, symmetric; overwritten
    SymmetricEigen(double[][] matrix) {
        size = matrix.length;
        diagonal = new double[size];
        offDiagonal = new double[size];
        vectors = tridiagonalize(matrix);
        diagonalize();
    }

    /// Indices of the eigenpairs, largest eigenvalue first.
    int[] descending() {
        return IntStream.range(0, size)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer i) -> diagonal[i]).reversed())
                .mapToInt(Integer::intValue)
                .toArray();
    }

    /// Eigenvector `i`, of length 1.
    double[] vector(int i) {
        return vectors[i];
    }

    /// Leaves T in `diagonal` and `offDiagonal`, and returns Qᵀ with A = Q·T·Qᵀ.
    private double[][] tridiagonalize(double[][] a) {
        double[][] reflectors = new double[size][];
        for (int k = 0; k < size - 2; k++) {
            double[] v = reflector(a, k);
            reflectors[k] = v;
            reflect(a, v, k + 1);
        }
        for (int i = 0; i < size; i++) {
            diagonal[i] = a[i][i];
        }
        if (size > 1) {
            offDiagonal[size - 2] = a[size - 2][size - 1];
        }
        double[][] q = new double[size][size];
        for (int i = 0; i < size; i++) {
            q[i][i] = 1;
        }
        for (int k = size - 3; k >= 0; k--) {
            applyLeft(q, reflectors[k], k + 1);
        }
        return transpose(q);
    }

    /// Returns the vector v, scaled so that I - v·vᵀ reduces column k below the diagonal to its
    /// first element, which is stored in `offDiagonal[k]`.
    private double[] reflector(double[][] a, int k) {
        double[] v = new double[size];
        double norm = 0;
        for (int i = k + 1; i < size; i++) {
            v[i] = a[k][i];
            norm = Math.hypot(norm, v[i]);
        }
        double alpha = v[k + 1] > 0 ? -norm : norm;
        offDiagonal[k] = alpha;
        v[k + 1] -= alpha;
        // vᵀv before scaling is 2·alpha·(alpha - x); zero only if the column is already zero.
        double half = alpha * (alpha - a[k][k + 1]);
        double factor = half > 0 ? 1 / Math.sqrt(half) : 0;
        for (int i = k + 1; i < size; i++) {
            v[i] *= factor;
        }
        return v;
    }

    /// `A = (I - v·vᵀ)·A·(I - v·vᵀ)` on the rows and columns from `from` on.
    private void reflect(double[][] a, double[] v, int from) {
        double[] w = new double[size];
        double overlap = 0;
        for (int i = from; i < size; i++) {
            for (int j = from; j < size; j++) {
                w[i] += a[i][j] * v[j];
            }
            overlap += w[i] * v[i];
        }
        for (int i = from; i < size; i++) {
            w[i] -= overlap / 2 * v[i];
        }
        for (int i = from; i < size; i++) {
            double vi = v[i];
            double wi = w[i];
            for (int j = from; j < size; j++) {
                a[i][j] -= vi * w[j] + wi * v[j];
            }
        }
    }

    private void applyLeft(double[][] q, double[] v, int from) {
        double[] projection = new double[size];
        for (int i = from; i < size; i++) {
            for (int j = from; j < size; j++) {
                projection[j] += v[i] * q[i][j];
            }
        }
        for (int i = from; i < size; i++) {
            for (int j = from; j < size; j++) {
                q[i][j] -= v[i] * projection[j];
            }
        }
    }

    private void diagonalize() {
        double norm = 0;
        for (int i = 0; i < size; i++) {
            norm = Math.max(norm, Math.abs(diagonal[i]) + Math.abs(offDiagonal[i]));
        }
        double negligible = Math.ulp(1.0) * norm;
        for (int first = 0; first < size; first++) {
            for (int step = 0; ; step++) {
                int last = first;
                while (last < size - 1 && Math.abs(offDiagonal[last]) > negligible) {
                    last++;
                }
                if (last == first) {
                    break;
                }
                if (step == MOST_STEPS) {
                    throw new ArithmeticException("eigenvalue " + first + " of a " + size + " by " + size
                            + " matrix did not converge in " + MOST_STEPS + " steps; is every element finite?");
                }
                step(first, last);
            }
        }
    }

    /// One QL step with Wilkinson's shift on the unreduced block `first` to `last`, inclusive.
    private void step(int first, int last) {
        double half = (diagonal[first + 1] - diagonal[first]) / (2 * offDiagonal[first]);
        double root = Math.hypot(half, 1);
        double g = diagonal[last] - diagonal[first] + offDiagonal[first] / (half + Math.copySign(root, half));
        double sine = 1;
        double cosine = 1;
        double shift = 0;
        for (int i = last - 1; i >= first; i--) {
            double f = sine * offDiagonal[i];
            double b = cosine * offDiagonal[i];
            double length = Math.hypot(f, g);
            offDiagonal[i + 1] = length;
            if (length == 0) {
                diagonal[i + 1] -= shift;
                offDiagonal[last] = 0;
                return;
            }
            sine = f / length;
            cosine = g / length;
            g = diagonal[i + 1] - shift;
            double t = (diagonal[i] - g) * sine + 2 * cosine * b;
            shift = sine * t;
            diagonal[i + 1] = g + shift;
            g = cosine * t - b;
            turn(vectors[i], vectors[i + 1], cosine, sine);
        }
        diagonal[first] -= shift;
        offDiagonal[first] = g;
        offDiagonal[last] = 0;
    }

    private static void turn(double[] lower, double[] upper, double cosine, double sine) {
        for (int k = 0; k < lower.length; k++) {
            double x = lower[k];
            double y = upper[k];
            upper[k] = sine * x + cosine * y;
            lower[k] = cosine * x - sine * y;
        }
    }

    private static double[][] transpose(double[][] matrix) {
        double[][] result = new double[matrix.length][matrix.length];
        for (int i = 0; i < matrix.length; i++) {
            for (int j = 0; j < matrix.length; j++) {
                result[j][i] = matrix[i][j];
            }
        }
        return result;
    }
}
