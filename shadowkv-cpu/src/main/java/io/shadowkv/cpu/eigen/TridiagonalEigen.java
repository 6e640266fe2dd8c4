package io.shadowkv.cpu.eigen;

import io.shadowkv.cpu.vector.WorkerPool;
import java.util.Arrays;
import java.util.SplittableRandom;

/// The largest eigenvalues of a matrix of three diagonals and their vectors: bisection by counts of negative
/// pivots, then inverse iteration (Peters and Wilkinson, "The calculation of specified eigenvectors by inverse
/// iteration", 1971).
///
/// Vectors of eigenvalues that lie close come out in one common space but not at right angles; each is made so
/// against those before it.
final class TridiagonalEigen {
    /// Halvings of an interval a few times the matrix' norm: to the last bit of the norm.
    private static final int HALVINGS = 56;
    /// Solutions a vector: one leaves a neighbour at a distance of 1e-8 of the norm as 1e-8 of the vector.
    private static final int SOLUTIONS = 3;
    /// Fresh starts for a vector that depends on those before it.
    private static final int STARTS = 5;
    /// Length of a vector that those before it must leave: what remains magnifies its errors by the inverse.
    private static final double LEAST_LEFT = 1e-3;
    /// Part of the norm that the shift of each fresh start lies farther off.
    private static final double RESTART_SHIFT = 16 * Math.ulp(1.0);
    /// Largest `|T·x - λ·x|` as part of the norm; sound vectors have 1e-15.
    private static final double RESIDUAL = 1e-11;
    /// Stands for the norm of a zero matrix, whose pivots must not be zero.
    private static final double ZERO_NORM = 1e-100;
    private static final long SEED = 0x5EEDL;

    private final WorkerPool pool;
    private final int size;
    private final double[] diagonal;
    private final double[] offDiagonal;
    private final double[] offDiagonalSquares;
    /// The largest sum of a row's absolute values, which no eigenvalue exceeds.
    private final double norm;

    /// @param offDiagonal element i lies between the diagonal's i and i + 1; the last is 0
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

    /// Orthonormal vectors of the `count` largest eigenvalues, largest first; none at all if one of them is not
    /// exact, which only the full solver then mends.
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

    /// A vector that lies in the space of those before it starts anew at right angles to them.
    ///
    /// Where eigenvalues agree to the last bits, one may lie so much nearer to the shift that every start ends
    /// in its vector; hence other shifts, a few roundings of the norm away.
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

    /// Makes vector `i` of length 1 and orthogonal to those before it, again where much was taken away (Kahan's
    /// "twice is enough", Parlett 1980, section 6-9); false if too little was left to be exact.
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

    /// Takes from a vector what lies along the first `count` and gives it length 1.
    ///
    /// @return the length before
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
