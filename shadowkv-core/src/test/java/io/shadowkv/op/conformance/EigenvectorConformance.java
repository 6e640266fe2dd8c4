package io.shadowkv.op.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.op.testing.Closeness;
import io.shadowkv.op.testing.GoldenMatrix;
import io.shadowkv.op.testing.Judge;
import io.shadowkv.op.testing.Sample;
import io.shadowkv.op.testing.Workbench;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The best subspace for a layer's keys: energy kept, orthonormal rows, degenerate matrices, and foreign expected
/// values.
public abstract class EigenvectorConformance extends BackendConformance {
    private static final double ENERGY_KEPT = 0.999;
    private static final double ENERGY_KEPT_STEEP = 0.9999;

    private final Judge judge = new Judge();

    /// How fast a matrix' eigenvalues fall: `weight(k)` scales the k-th random direction.
    enum Spectrum {
        FLAT(k -> 1, ENERGY_KEPT),
        GENTLE(k -> Math.pow(1 + k, -0.6), ENERGY_KEPT),
        STEEP(k -> Math.pow(1 + k, -2), ENERGY_KEPT_STEEP),
        CLIFF(k -> k < 5 ? 10 : 0.01, ENERGY_KEPT_STEEP);

        private final IntToDoubleFunction weight;
        private final double kept;

        Spectrum(IntToDoubleFunction weight, double kept) {
            this.weight = weight;
            this.kept = kept;
        }
    }

    /// Cases of `testdata/golden-svd.tar.xz` to run; a fast backend names them all.
    protected List<String> goldenCases() {
        return List.of("n300-d512-wide", "n1200-d256");
    }

    @ParameterizedTest
    @EnumSource
    void keepsTheEnergyOfTheExactEigenvectors(Spectrum spectrum) {
        for (int width : List.of(1, 2, 7, 31, 64, 65, 130)) {
            for (int rank : List.of(1, 5, 32, width, width + 3)) {
                try (Workbench bench = workbench("%s, %d of %d eigenvectors", spectrum, rank, width)) {
                    check(bench, gram(bench, width, 2 * width + 1, spectrum.weight, 1), rank, DType.F32, spectrum.kept);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void keepsTheEnergyOfALargerMatrix(Spectrum spectrum) {
        for (DType type : STORAGE_TYPES) {
            try (Workbench bench = workbench("%s, 96 of 257 eigenvectors, %s", spectrum, type)) {
                check(bench, gram(bench, 257, 600, spectrum.weight, 1), 96, type, spectrum.kept);
            }
        }
    }

    @Test
    void roundsRowsToTheBasisType() {
        for (DType type : STORAGE_TYPES) {
            for (int rank : List.of(1, 16, 33, 40)) {
                try (Workbench bench = workbench("%d of 33 eigenvectors, %s", rank, type)) {
                    check(bench, gram(bench, 33, 90, Spectrum.GENTLE.weight, 1), rank, type, ENERGY_KEPT);
                }
            }
        }
    }

    @Test
    void mindsNoScale() {
        for (double scale : new double[] {1e-30, 1e-12, 1e12, 1e30}) {
            for (Spectrum spectrum : Spectrum.values()) {
                try (Workbench bench = workbench("%s, 20 of 65 eigenvectors, times %s", spectrum, scale)) {
                    check(bench, gram(bench, 65, 130, spectrum.weight, scale), 20, DType.F32, spectrum.kept);
                }
            }
        }
    }

    @Test
    void findsOrthonormalRowsWhereTheMatrixHoldsNoneOrOne() {
        for (int width : List.of(1, 8, 65, 130)) {
            for (int directions : List.of(0, 1, 3)) {
                for (int rank : List.of(1, 8, width)) {
                    try (Workbench bench =
                            workbench("%d of %d eigenvectors of a matrix of rank %d", rank, width, directions)) {
                        check(bench, gram(bench, width, directions, k -> 1, 1), rank, DType.F32, ENERGY_KEPT_STEEP);
                    }
                }
            }
        }
    }

    @Test
    void findsTheAxesOfADiagonalMatrix() {
        int width = 40;
        float[] diagonal = new float[width * width];
        for (int i = 0; i < width; i++) {
            diagonal[i * width + i] = (i * 7 % width + 1) * (i * 7 % width + 1);
        }
        try (Workbench bench = workbench("10 of %d axes", width)) {
            check(bench, Sample.of(DType.F32, diagonal, width, width), 10, DType.F32, ENERGY_KEPT_STEEP);
        }
    }

    /// `scale * Σ weight(k)² g_k g_kᵀ` over random g_k.
    private static Sample gram(Workbench bench, int width, int directions, IntToDoubleFunction weight, double scale) {
        double[] sums = new double[width * width];
        for (int k = 0; k < directions; k++) {
            double[] row = bench.random().doubles(width, -1, 1).toArray();
            double factor = weight.applyAsDouble(k) * weight.applyAsDouble(k) * scale;
            for (int i = 0; i < width; i++) {
                for (int j = 0; j < width; j++) {
                    sums[i * width + j] += factor * row[i] * row[j];
                }
            }
        }
        return new Sample(DType.F32, Sample.round(DType.F32, sums), width, width);
    }

    private void check(Workbench bench, Sample gram, int rank, DType type, double kept) {
        int width = gram.extent(0);
        Tensor basis = bench.output(type, rank, width);
        bench.operations().shadow().topEigenvectors(bench.state(gram), basis);
        float[] actual = bench.values(basis);
        Tensor exact = judge.output(rank, width);
        judge.operations().shadow().topEigenvectors(judge.input(gram), exact);

        int rows = Math.min(rank, width);
        checkOrthonormal(bench.description(), actual, rows, width, type);
        for (int i = rows * width; i < actual.length; i++) {
            assertThat(actual[i])
                    .as("%s: rows beyond the matrix", bench.description())
                    .isZero();
        }
        double[] energies = energies(gram.values(), widen(actual), rows, width);
        double[] best = energies(gram.values(), Judge.values(exact), rows, width);
        double share = sum(energies) / sum(best);
        assertThat(sum(best) == 0 || share >= kept)
                .as("%s: share %s of the exact eigenvectors' energy, at least %s", bench.description(), share, kept)
                .isTrue();
        checkDescending(bench.description(), energies, type);
    }

    private static void checkOrthonormal(String what, float[] basis, int rows, int width, DType type) {
        // Rounding an element moves a length or a product by its relative rounding, at worst once for each
        // factor.
        double bound = 1e-5 + (type == DType.F32 ? 0 : 2 * Closeness.rounding(type));
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j <= i; j++) {
                double dot = 0;
                for (int e = 0; e < width; e++) {
                    dot += (double) basis[i * width + e] * basis[j * width + e];
                }
                double error = Math.abs(dot - (i == j ? 1 : 0));
                assertThat(error <= bound)
                        .as("%s: product of rows %d and %d is %s, off by more than %s", what, i, j, dot, bound)
                        .isTrue();
            }
        }
    }

    /// Rayleigh quotients `v G vᵀ / v vᵀ` of each row: rounding a row to the basis' type is not held against it.
    private static double[] energies(float[] gram, double[] basis, int rows, int width) {
        double[] energies = new double[rows];
        for (int r = 0; r < rows; r++) {
            double squares = 0;
            for (int i = 0; i < width; i++) {
                double element = basis[r * width + i];
                double product = 0;
                for (int j = 0; j < width; j++) {
                    product += gram[i * width + j] * basis[r * width + j];
                }
                energies[r] += element * product;
                squares += element * element;
            }
            energies[r] /= squares;
        }
        return energies;
    }

    private static void checkDescending(String what, double[] energies, DType type) {
        double slack = (1e-4 + 4 * Closeness.rounding(type)) * Math.abs(energies[0]);
        for (int r = 1; r < energies.length; r++) {
            assertThat(energies[r] <= energies[r - 1] + slack)
                    .as("%s: row %d has energy %s, the row before %s", what, r, energies[r], energies[r - 1])
                    .isTrue();
        }
    }

    @Test
    void reachesTheBestErrorOfForeignMatrices() {
        assertThat(goldenCases()).isNotEmpty();
        for (String name : goldenCases()) {
            GoldenMatrix matrix = GoldenMatrix.read(name);
            for (int rank : matrix.bestErrors().keySet()) {
                try (Workbench bench = workbench("rank %d of %s", rank, name)) {
                    golden(bench, matrix, rank);
                }
            }
        }
    }

    private static void golden(Workbench bench, GoldenMatrix matrix, int rank) {
        int columns = matrix.columns();
        Tensor gram = bench.state(Sample.filled(DType.F32, 0, columns, columns));
        Tensor keys = bench.input(new Sample(DType.F32, matrix.values(), matrix.rows(), columns));
        int half = matrix.rows() / 2;
        bench.operations().shadow().accumulateGram(keys.slice(0, half), gram);
        bench.operations().shadow().accumulateGram(keys.slice(half, matrix.rows() - half), gram);
        Tensor basis = bench.output(DType.F32, rank, columns);
        bench.operations().shadow().topEigenvectors(gram, basis);

        double best = matrix.bestErrors().get(rank);
        double bound = best * (1 + matrix.tolerances().get(rank));
        double error = matrix.error(bench.values(basis), rank);
        assertThat(error >= best * (1 - 1e-4) && error <= bound)
                .as("%s: error %s, best %s, allowed %s", bench.description(), error, best, bound)
                .isTrue();
    }

    private static double[] widen(float[] values) {
        double[] wide = new double[values.length];
        java.util.Arrays.setAll(wide, i -> values[i]);
        return wide;
    }

    private static double sum(double[] values) {
        return java.util.Arrays.stream(values).sum();
    }
}
