package io.shadowkv.cpu;

import java.util.Arrays;
import java.util.SplittableRandom;

/// The eigenvectors of largest eigenvalue of a Gram matrix, by block subspace iteration in double (Halko, Martinsson and
/// Tropp, SIAM Review 53, 2011): multiply a block of random vectors by the matrix twice, make it orthonormal, repeat until
/// the energy it holds stands still; then take the best directions within it (Rayleigh and Ritz).
///
/// Where more than half of the directions are wanted, all are computed.
final class TopEigenvectors {
    /// Vectors of the block beyond the wanted ones: a fifth and a few, so that the last wanted ones converge too.
    private static final double SPARE_SHARE = 0.2;
    private static final int SPARE = 8;
    private static final int MAX_ROUNDS = 20;
    /// Growth of the block's energy, as part of the energy outside it, below which nothing more is to be won.
    private static final double STILL = 1e-4;
    private static final long SEED = 0x5EEDL;

    private final WorkerPool pool;

    TopEigenvectors(WorkerPool pool) {
        this.pool = pool;
    }

    /// @param gram [width, width]
    /// @param basis [rank, width]
    void find(FloatRows gram, int width, FloatRows basis, int rank) {
        double[][] matrix = matrix(gram, width);
        if (!Double.isFinite(trace(matrix))) {
            throw new IllegalArgumentException("the Gram matrix [" + width + ", " + width
                    + "] holds NaN or infinity; the keys it was made of are not finite");
        }
        int wanted = Math.min(rank, width);
        int block = wanted + (int) (wanted * SPARE_SHARE) + SPARE;
        double[][] best = 2 * block < width ? iterate(matrix, block, wanted) : all(matrix, wanted);
        orthonormalize(best);
        float[] row = new float[width];
        for (int i = 0; i < rank; i++) {
            for (int j = 0; j < width; j++) {
                row[j] = i < wanted ? (float) best[i][j] : 0;
            }
            basis.store(row, 0, (long) i * width, width);
        }
    }

    private static double[][] matrix(FloatRows gram, int width) {
        double[][] matrix = new double[width][width];
        float[] row = new float[width];
        for (int i = 0; i < width; i++) {
            gram.load((long) i * width, row, 0, width);
            for (int j = 0; j < width; j++) {
                matrix[i][j] = row[j];
            }
        }
        return matrix;
    }

    private static double[][] all(double[][] matrix, int wanted) {
        var eigen = new SymmetricEigen(matrix);
        int[] order = eigen.descending();
        double[][] best = new double[wanted][];
        Arrays.setAll(best, i -> eigen.vector(order[i]));
        return best;
    }

    private double[][] iterate(double[][] matrix, int size, int wanted) {
        double total = trace(matrix);
        double[][] block = random(size, matrix.length);
        orthonormalize(block);
        double held = 0;
        for (int round = 0; round < MAX_ROUNDS; round++) {
            double[][] once = product(block, matrix);
            double now = 0;
            for (int i = 0; i < size; i++) {
                now += DoubleRows.dot(once[i], block[i], 0, matrix.length);
            }
            if (round > 0 && now - held <= STILL * Math.max(total - now, 0)) {
                return ritz(block, once, wanted);
            }
            held = now;
            block = product(once, matrix);
            orthonormalize(block);
        }
        return ritz(block, product(block, matrix), wanted);
    }

    /// The best directions within an orthonormal block, given the block's product with the matrix.
    private double[][] ritz(double[][] block, double[][] product, int wanted) {
        double[][] small = new double[block.length][block.length];
        pool.each(block.length, (i, scratch) -> {
            for (int j = 0; j < block.length; j++) {
                small[i][j] = DoubleRows.dot(block[Math.max(i, j)], product[Math.min(i, j)], 0, block[i].length);
            }
        });
        return product(all(small, wanted), block);
    }

    /// `a · b`, both as rows.
    private double[][] product(double[][] a, double[][] b) {
        double[][] result = new double[a.length][b[0].length];
        pool.each(a.length, (i, scratch) -> DoubleRows.combine(a[i], b, result[i]));
        return result;
    }

    /// Makes rows orthonormal, each against those before it, twice (Gram and Schmidt; Giraud et al. 2005: twice is
    /// enough). A row that depends on those before it is replaced by a random one.
    private static void orthonormalize(double[][] rows) {
        var random = new SplittableRandom(SEED);
        for (int i = 0; i < rows.length; i++) {
            double[] row = rows[i];
            while (!project(rows, i, row) || !project(rows, i, row)) {
                for (int j = 0; j < row.length; j++) {
                    row[j] = random.nextGaussian();
                }
            }
        }
    }

    /// Takes from `row` what lies along the first `count` rows and gives it length 1; false if next to nothing is left.
    private static boolean project(double[][] rows, int count, double[] row) {
        int width = row.length;
        double before = Math.sqrt(DoubleRows.dot(row, row, 0, width));
        for (int k = 0; k < count; k++) {
            DoubleRows.addScaled(-DoubleRows.dot(rows[k], row, 0, width), rows[k], row, 0, width);
        }
        double after = Math.sqrt(DoubleRows.dot(row, row, 0, width));
        if (!(after > 1e-12 * before)) {
            return false;
        }
        for (int j = 0; j < width; j++) {
            row[j] /= after;
        }
        return true;
    }

    private static double[][] random(int rows, int width) {
        var random = new SplittableRandom(SEED);
        double[][] block = new double[rows][width];
        for (double[] row : block) {
            Arrays.setAll(row, j -> random.nextGaussian());
        }
        return block;
    }

    private static double trace(double[][] matrix) {
        double trace = 0;
        for (int i = 0; i < matrix.length; i++) {
            trace += matrix[i][i];
        }
        return trace;
    }
}
