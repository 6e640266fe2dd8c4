package io.shadowkv.cpu.eigen;

import io.shadowkv.cpu.vector.WorkerPool;
import java.util.Arrays;
import java.util.SplittableRandom;

/// Computes the largest eigenvalues of a tridiagonal matrix and their eigenvectors: bisection with
/// counts of negative pivots, then inverse iteration (Peters and Wilkinson, "The calculation of
/// specified eigenvectors by inverse iteration", 1971).
///
/// For eigenvalues that are close together, inverse iteration gives vectors in the right subspace
/// that are not orthogonal; each is orthogonalised against the previous ones.
final class TridiagonalEigen {
    /// Bisection steps, starting from an interval of a few times the norm: they reach the last bit
    /// of the norm.
    private static final int HALVINGS = 56;
    /// Solutions per vector. One solution leaves a share of 1e-8 of a neighbouring vector whose
    /// eigenvalue is 1e-8 of the norm away.
    private static final int SOLUTIONS = 3;
    /// Maximum number of new starts for a vector that depends on the previous ones.
    private static final int STARTS = 5;
    /// Minimum length that must remain after orthogonalisation; normalising the rest magnifies its
    /// errors by the inverse.
    private static final double LEAST_LEFT = 1e-3;
    /// Distance between the shifts of successive starts, as a share of the norm.
    private static final double RESTART_SHIFT = 16 * Math.ulp(1.0);
    /// Maximum of `|T·x - λ·x|` as a share of the norm; good vectors have 1e-15.
    private static final double RESIDUAL = 1e-11;
    /// Used as the norm of a zero matrix, whose pivots must not be zero.
    private static final double ZERO_NORM = 1e-100;
    private static final long SEED = 0x5EEDL;

    private final WorkerPool pool;
    private final int size;
    private final double[] diagonal;
    private final double[] offDiagonal;
    private final double[] offDiagonalSquares;
    /// The largest sum of absolute values in a row, an upper bound of the eigenvalues.
    private final double norm;

    /// @param offDiagonal element i lies between diagonal elements i and i + 1; the last is 0
    TridiagonalEigen(WorkerPool pool, double[] diagonal, double[] offDiagonal) {
        this.pool = pool;
        this.size = diagonal.length;
        this.diagonal = diagonal;
        this.offDiagonal = offDiagonal;
        this.offDiagonalSquares = Arrays.stream(offDiagonal).map(b -> b * b).toArray();
        double largest = ZERO_NORM;
        for (int i = 0; i < size; i++) {
            double left = i == 0 ? 0 : Math.abs(offDiagonal[i - 1]);
            largest = Math.max(largest, left + Math.abs(diagonal[i]) + Math.abs(offDiagonal[i]));
        }
        norm = largest;
    }

    /// Orthonormal eigenvectors of the `count` largest eigenvalues, largest first; empty if one of
    /// them is not accurate, in which case the caller must use the full solver.
    double[][] top(int count) {
        double[] values = values(count);
        double[][] vectors = new double[count][];
        pool.each(count, (i, scratch) -> {
            vectors[i] = randomVector(i);
            new ShiftedSolver(diagonal, offDiagonal, values[i], norm).improve(vectors[i], SOLUTIONS);
        });
        for (int i = 0; i < count; i++) {
            if (!orthonormalize(vectors, i) && !restart(vectors, i, values[i])) {
                return new double[0][];
            }
        }
        for (int i = 0; i < count; i++) {
            if (!(residual(vectors[i], values[i]) <= RESIDUAL * norm)) {
                return new double[0][];
            }
        }
        return vectors;
    }

    /// The `count` largest eigenvalues, largest first.
    double[] values(int count) {
        int lanes = 2 * DoubleRows.LANES;
        double[] values = new double[Math.ceilDiv(count, lanes) * lanes];
        pool.each(values.length / lanes, (group, scratch) -> {
            double[] low = new double[lanes];
            double[] high = new double[lanes];
            double[] middle = new double[lanes];
            double[] below = new double[lanes];
            Arrays.fill(low, -norm);
            Arrays.fill(high, norm);
            for (int halving = 0; halving < HALVINGS; halving++) {
                Arrays.setAll(middle, i -> (low[i] + high[i]) / 2);
                DoubleRows.countBelow(diagonal, offDiagonalSquares, middle, below);
                for (int i = 0; i < lanes; i++) {
                    boolean reached = below[i] < size - (group * lanes + i);
                    (reached ? low : high)[i] = middle[i];
                }
            }
            System.arraycopy(low, 0, values, group * lanes, lanes);
        });
        return Arrays.copyOf(values, count);
    }

    /// A vector that depends on the previous ones is started again, orthogonal to them.
    ///
    /// If eigenvalues agree to the last bits, one may be so much closer to the shift that every
    /// start converges to its vector. Each start therefore uses another shift, a few rounding
    /// errors of the norm away.
    private boolean restart(double[][] vectors, int i, double value) {
        for (int start = 1; start <= STARTS; start++) {
            double shift = value + start * RESTART_SHIFT * norm;
            var solver = new ShiftedSolver(diagonal, offDiagonal, shift, norm);
            vectors[i] = randomVector(i + start * size);
            for (int solution = 0; solution < SOLUTIONS; solution++) {
                orthonormalize(vectors, i);
                solver.improve(vectors[i], 1);
            }
            if (orthonormalize(vectors, i)) {
                return true;
            }
        }
        return false;
    }

    /// Normalises vector `i` and makes it orthogonal to the previous ones, a second time if much
    /// was removed (Kahan's "twice is enough", Parlett 1980, section 6-9). Returns false if too
    /// little remained to be accurate.
    private static boolean orthonormalize(double[][] vectors, int i) {
        double[] vector = vectors[i];
        double left = 1;
        double length = project(vectors, i, vector);
        for (int pass = 0; length < 0.7 && pass < 4; pass++) {
            left *= length;
            length = project(vectors, i, vector);
        }
        return left * length > LEAST_LEFT;
    }

    /// Removes the components of a vector along the first `count` vectors and normalises it.
    ///
    /// @return the length before normalising
    private static double project(double[][] vectors, int count, double[] vector) {
        int size = vector.length;
        for (int k = 0; k < count; k++) {
            DoubleRows.addScaled(-DoubleRows.dot(vectors[k], vector, 0, size), vectors[k], vector, 0, size);
        }
        return ShiftedSolver.normalize(vector);
    }

    private double residual(double[] x, double value) {
        double squares = 0;
        for (int i = 0; i < size; i++) {
            double left = i == 0 ? 0 : offDiagonal[i - 1] * x[i - 1];
            double right = i == size - 1 ? 0 : offDiagonal[i] * x[i + 1];
            double error = left + (diagonal[i] - value) * x[i] + right;
            squares += error * error;
        }
        return Math.sqrt(squares);
    }

    private double[] randomVector(int seed) {
        var random = new SplittableRandom(SEED + seed);
        double[] vector = new double[size];
        Arrays.setAll(vector, j -> random.nextDouble() - 0.5);
        ShiftedSolver.normalize(vector);
        return vector;
    }
}
