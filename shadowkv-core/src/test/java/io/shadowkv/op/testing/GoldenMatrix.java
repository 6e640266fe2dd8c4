package io.shadowkv.op.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shadowkv.Fixtures;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A matrix of `testdata/golden-svd.tar.xz`, built from its formula, and numpy's best errors in float64.
///
/// `M[t, c] = Σ_k (1 / (1 + k))^decay · g1[t, k] · g2[k, c] + noise · g3[t, c]`, rounded once to float.
///
/// @param values [rows, columns]
/// @param bestErrors rank to the least possible Frobenius error
/// @param tolerances rank to the relative excess allowed: 1 %, or 5 % where the next singular value is nearly
///     the same
public record GoldenMatrix(
        int rows, int columns, float[] values, Map<Integer, Double> bestErrors, Map<Integer, Double> tolerances) {
    private static final double TINY_GAP = 0.01;

    public static GoldenMatrix read(String name) {
        try {
            JsonNode json = JsonMapper.shared()
                    .readTree(Files.readString(Fixtures.golden("svd").resolve("svd/" + name + ".json")));
            Map<Integer, Double> bestErrors = new LinkedHashMap<>();
            Map<Integer, Double> tolerances = new LinkedHashMap<>();
            for (JsonNode node : json.get("ranks")) {
                int rank = node.asInt();
                JsonNode best = json.get("best_rank_error").get(node.asString());
                double gap = best.get("gap_s_k_minus_s_k1").asDouble();
                double singularValue =
                        json.get("singular_values_top160").get(rank - 1).asDouble();
                bestErrors.put(rank, best.get("frobenius").asDouble());
                tolerances.put(rank, gap < TINY_GAP * singularValue ? 0.05 : 0.01);
            }
            var matrix =
                    new GoldenMatrix(json.get("n").asInt(), json.get("d").asInt(), build(json), bestErrors, tolerances);
            matrix.checkAgainst(json);
            return matrix;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static float[] build(JsonNode json) {
        int rows = json.get("n").asInt();
        int columns = json.get("d").asInt();
        int terms = json.get("r0").asInt();
        long seed = json.get("seed").asLong();
        double[] right = unit(seed + 32, terms * columns);
        double[] left = unit(seed + 31, rows * terms);
        double[] noise = unit(seed + 33, rows * columns);
        float[] values = new float[rows * columns];
        for (int t = 0; t < rows; t++) {
            double[] row = new double[columns];
            for (int k = 0; k < terms; k++) {
                double factor = Math.pow(1.0 / (1 + k), json.get("decay").asDouble()) * left[t * terms + k];
                for (int c = 0; c < columns; c++) {
                    row[c] += factor * right[k * columns + c];
                }
            }
            for (int c = 0; c < columns; c++) {
                values[t * columns + c] = (float) (row[c] + json.get("noise").asDouble() * noise[t * columns + c]);
            }
        }
        return values;
    }

    /// The archive's random numbers: the upper 24 bits of a mixed counter, in [-1, 1).
    private static double[] unit(long seed, int count) {
        double[] values = new double[count];
        for (int i = 0; i < count; i++) {
            long z = seed + (i + 1) * 0x9E3779B97F4A7C15L;
            z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
            z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
            z ^= z >>> 31;
            values[i] = (z >>> 40) / 0x1p24 * 2 - 1;
        }
        return values;
    }

    private void checkAgainst(JsonNode json) {
        for (int c = 0; c < 8; c++) {
            assertThat((double) values[c])
                    .isCloseTo(json.get("first_row_first8").get(c).asDouble(), within(1e-6));
        }
        double squares = 0;
        for (float value : values) {
            squares += (double) value * value;
        }
        double expected = json.get("frobenius_norm").asDouble();
        assertThat(Math.sqrt(squares)).isCloseTo(expected, within(1e-6 * expected));
    }

    /// Frobenius norm of `M - M·Vᵀ·V`.
    ///
    /// @param basis V, [rank, columns]
    public double error(float[] basis, int rank) {
        double squares = 0;
        for (int t = 0; t < rows; t++) {
            double[] rest = new double[columns];
            for (int c = 0; c < columns; c++) {
                rest[c] = values[t * columns + c];
            }
            for (int r = 0; r < rank; r++) {
                double product = 0;
                for (int c = 0; c < columns; c++) {
                    product += basis[r * columns + c] * values[t * columns + c];
                }
                for (int c = 0; c < columns; c++) {
                    rest[c] -= product * basis[r * columns + c];
                }
            }
            for (double value : rest) {
                squares += value * value;
            }
        }
        return Math.sqrt(squares);
    }
}
