package io.shadowkv.cpu.eigen;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.cpu.vector.WorkerPool;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Vectors exact to double where the conformance suite, in float, cannot see the difference; and where
/// eigenvalues agree in all bits, which is where inverse iteration goes wrong.
class TridiagonalEigenTest {
    private static final double BOUND = 1e-12;
    /// What the zero matrix' eigenvalues may be.
    private static final double ZERO = 1e-100;
    private static final long SEED = 7;

    /// Symmetric matrices of elements up to 1.
    enum Kind {
        RANDOM((i, j) -> new SplittableRandom(SEED + 1000L * i + j).nextDouble() * 2 - 1),
        ZERO((i, j) -> 0.0),
        IDENTITY((i, j) -> i.equals(j) ? 1.0 : 0.0),
        ONES((i, j) -> 1.0),
        TWO_SCALES((i, j) -> i.equals(j) ? (i % 2 == 0 ? 1 : 1e-9) : 1e-14),
        /// Wilkinson's W21+ again and again, loosely coupled: each eigenvalue as often, to 1e-10 and closer.
        GLUED_WILKINSON((i, j) -> switch (i - j) {
            case 0 -> Math.abs(i % 21 - 10) / 10.0;
            case 1 -> i % 21 == 0 ? 1e-10 : 0.1;
            default -> 0.0;
        }),
        /// Uncoupled.
        REPEATED_WILKINSON((i, j) -> switch (i - j) {
            case 0 -> Math.abs(i % 21 - 10) / 10.0;
            case 1 -> i % 21 == 0 ? 0.0 : 0.1;
            default -> 0.0;
        }),
        GRADED((i, j) -> Math.pow(0.5, i + j) * (i.equals(j) ? 1 : 0.5));

        /// Element in row i, column j up to i.
        private final BiFunction<Integer, Integer, Double> element;

        Kind(BiFunction<Integer, Integer, Double> element) {
            this.element = element;
        }
    }

    @ParameterizedTest
    @EnumSource
    void givesTheMatrixTimesVectorToDoublePrecision(Kind kind) {
        for (int threads : List.of(1, 3)) {
            try (WorkerPool pool = new WorkerPool(threads)) {
                for (int width : List.of(1, 2, 3, 5, 16, 17, 18, 64, 105, 203, 331)) {
                    for (int count : List.of(1, Math.ceilDiv(width, 3), width)) {
                        check(kind + " of " + width + ", " + count + " vectors", pool, kind, width, count);
                    }
                }
            }
        }
    }

    private static void check(String what, WorkerPool pool, Kind kind, int width, int count) {
        double[][] matrix = matrix(kind, width);
        double[][] lower = new double[width][];
        Arrays.setAll(lower, i -> Arrays.copyOf(matrix[i], i + 1));
        var reduced = new Tridiagonalization(pool, lower);
        var eigen = new TridiagonalEigen(pool, reduced.diagonal(), reduced.offDiagonal());
        double[] values = eigen.values(count);
        double[][] vectors = eigen.top(count);
        assertThat(vectors).as(what).hasNumberOfRows(count);
        reduced.reflectBack(vectors);

        double bound = BOUND
                        * Math.sqrt(Arrays.stream(matrix)
                                .mapToDouble(row -> DoubleRows.dot(row, row, 0, width))
                                .sum())
                + ZERO;
        double[] expected = expectedValues(matrix);
        for (int i = 0; i < count; i++) {
            assertThat(Math.abs(values[i] - expected[i]) <= bound)
                    .as("%s: value %d is %s, expected %s", what, i, values[i], expected[i])
                    .isTrue();
            double error = residual(matrix, vectors[i], values[i]);
            assertThat(error <= bound)
                    .as("%s: residual %s of vector %d", what, error, i)
                    .isTrue();
            for (int j = 0; j <= i; j++) {
                double product = DoubleRows.dot(vectors[i], vectors[j], 0, width) - (i == j ? 1 : 0);
                assertThat(Math.abs(product) <= BOUND)
                        .as("%s: product of vectors %d and %d is off by %s", what, i, j, product)
                        .isTrue();
            }
        }
    }

    /// By the full solver, largest first.
    private static double[] expectedValues(double[][] matrix) {
        double[][] copy = Arrays.stream(matrix).map(double[]::clone).toArray(double[][]::new);
        var eigen = new SymmetricEigen(copy);
        return Arrays.stream(eigen.descending()).mapToDouble(eigen::value).toArray();
    }

    private static double residual(double[][] matrix, double[] vector, double value) {
        double squares = 0;
        for (int i = 0; i < vector.length; i++) {
            double error = DoubleRows.dot(matrix[i], vector, 0, vector.length) - value * vector[i];
            squares += error * error;
        }
        return Math.sqrt(squares);
    }

    private static double[][] matrix(Kind kind, int width) {
        double[][] matrix = new double[width][width];
        for (int i = 0; i < width; i++) {
            for (int j = 0; j <= i; j++) {
                matrix[i][j] = kind.element.apply(i, j);
                matrix[j][i] = matrix[i][j];
            }
        }
        return matrix;
    }

    @Test
    void givesNoVectorsRatherThanWrongOnes() {
        try (WorkerPool pool = new WorkerPool(1)) {
            double[] diagonal = {1, Double.NaN, 2};
            assertThat(new TridiagonalEigen(pool, diagonal, new double[3]).top(2))
                    .isEmpty();
        }
    }
}
