package io.shadowkv.cpu.eigen;

import io.shadowkv.cpu.vector.FloatRows;
import io.shadowkv.cpu.vector.WorkerPool;
import java.util.Arrays;

/// Computes the eigenvectors with the largest eigenvalues of a Gram matrix, exact to the rounding
/// of double.
///
/// [Tridiagonalization] reduces the matrix with reflections. [TridiagonalEigen] finds the wanted
/// eigenvalues by bisection and their vectors by inverse iteration. Applying the reflections
/// backwards gives the eigenvectors of the matrix. An iteration that stops early would be faster
/// and keep as much energy, but where eigenvalues are close together, as beyond the true rank of
/// keys, it keeps other directions than the decomposition in the authors' code, and attention over
/// the rebuilt keys differs.
public final class TopEigenvectors {
    /// Below this width the full solver is as fast.
    private static final int SMALL = 48;

    private final WorkerPool pool;

    public TopEigenvectors(WorkerPool pool) {
        this.pool = pool;
    }

    /// @param gram `[width, width]`
    /// @param basis `[rank, width]`
    public void find(FloatRows gram, int width, FloatRows basis, int rank) {
        int wanted = Math.min(rank, width);
        double scale = 1 / largest(gram, width);
        double[][] best = width < SMALL ? all(gram, width, scale, wanted) : top(gram, width, scale, wanted);
        float[] row = new float[width];
        for (int i = 0; i < rank; i++) {
            for (int j = 0; j < width; j++) {
                row[j] = i < wanted ? (float) best[i][j] : 0;
            }
            basis.store(row, 0, (long) i * width, width);
        }
    }

    /// The largest absolute value, or 1 if all are zero. After division by it, squares of elements
    /// neither overflow nor underflow.
    private static double largest(FloatRows gram, int width) {
        float[] row = new float[width];
        double largest = 0;
        for (int i = 0; i < width; i++) {
            gram.load((long) i * width, row, 0, width);
            for (float value : row) {
                if (!Float.isFinite(value)) {
                    throw new IllegalArgumentException("the Gram matrix [" + width + ", " + width + "] holds " + value
                            + " in row " + i + "; the keys it was made of are not finite, or too large to be squared");
                }
                largest = Math.max(largest, Math.abs(value));
            }
        }
        return largest == 0 ? 1 : largest;
    }

    private double[][] top(FloatRows gram, int width, double scale, int wanted) {
        var reduced = new Tridiagonalization(pool, rows(gram, width, scale, true));
        double[][] vectors = new TridiagonalEigen(pool, reduced.diagonal(), reduced.offDiagonal()).top(wanted);
        if (vectors.length == 0) {
            return all(gram, width, scale, wanted);
        }
        reduced.reflectBack(vectors);
        return vectors;
    }

    private static double[][] all(FloatRows gram, int width, double scale, int wanted) {
        var eigen = new SymmetricEigen(rows(gram, width, scale, false));
        int[] order = eigen.descending();
        double[][] best = new double[wanted][];
        Arrays.setAll(best, i -> eigen.vector(order[i]));
        return best;
    }

    /// @param lower true if row i ends with the diagonal
    private static double[][] rows(FloatRows gram, int width, double scale, boolean lower) {
        double[][] rows = new double[width][];
        float[] row = new float[width];
        for (int i = 0; i < width; i++) {
            gram.load((long) i * width, row, 0, width);
            rows[i] = new double[lower ? i + 1 : width];
            for (int j = 0; j < rows[i].length; j++) {
                rows[i][j] = row[j] * scale;
            }
        }
        return rows;
    }
}
