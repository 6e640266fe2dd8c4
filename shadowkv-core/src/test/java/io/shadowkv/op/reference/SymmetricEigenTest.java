package io.shadowkv.op.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SymmetricEigenTest {
    @ParameterizedTest
    @CsvSource({"1,1,1", "2,2,1", "3,3,1e-30", "7,7,1e30", "8,1,1", "33,5,1", "64,0,1", "97,97,1"})
    void valuesAreEjmlsAndVectorsSatisfyTheirEquation(int size, int rank, double scale) {
        double[][] matrix = matrix(size, rank, scale, new SplittableRandom(size));
        var eigen = new SymmetricEigen(copy(matrix));
        double[] expected = valuesDescending(matrix);
        double bound = 1e-12 * Math.max(Math.abs(expected[0]), Double.MIN_NORMAL) * size;
        int[] order = eigen.descending();
        for (int i = 0; i < size; i++) {
            double[] image = multiply(matrix, eigen.vector(order[i]));
            for (int j = 0; j < size; j++) {
                assertThat(image[j]).isCloseTo(expected[i] * eigen.vector(order[i])[j], within(bound));
            }
            for (int j = 0; j < size; j++) {
                double dot = dot(eigen.vector(i), eigen.vector(j));
                assertThat(dot).isCloseTo(i == j ? 1 : 0, within(1e-12 * size));
            }
        }
    }

    private static double[][] matrix(int size, int rank, double scale, SplittableRandom random) {
        double[][] rows = new double[rank][];
        for (int k = 0; k < rank; k++) {
            rows[k] = random.doubles(size, -1, 1).toArray();
        }
        double[][] matrix = new double[size][size];
        for (int i = 0; i < size; i++) {
            for (int j = 0; j < size; j++) {
                for (int k = 0; k < rank; k++) {
                    matrix[i][j] += scale * rows[k][i] * rows[k][j] / (1 + k);
                }
            }
        }
        return matrix;
    }

    private static double[] valuesDescending(double[][] matrix) {
        var decomposition = DecompositionFactory_DDRM.eig(matrix.length, false, true);
        assertThat(decomposition.decompose(new DMatrixRMaj(copy(matrix)))).isTrue();
        double[] values = new double[matrix.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = -decomposition.getEigenvalue(i).real;
        }
        java.util.Arrays.sort(values);
        return java.util.Arrays.stream(values).map(value -> -value).toArray();
    }

    private static double[][] copy(double[][] matrix) {
        return java.util.Arrays.stream(matrix).map(double[]::clone).toArray(double[][]::new);
    }

    private static double[] multiply(double[][] matrix, double[] vector) {
        return java.util.Arrays.stream(matrix)
                .mapToDouble(row -> dot(row, vector))
                .toArray();
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }
}
