package io.shadowkv.op.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.op.testing.Closeness;
import io.shadowkv.op.testing.Exactly;
import io.shadowkv.op.testing.Sample;
import io.shadowkv.op.testing.Workbench;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// Operations at the model's ends: the greedy token of each row, and weights made from a seed.
public abstract class TokenConformance extends BackendConformance {
    @Test
    void findsTheFirstOfTheLargestLogits() {
        for (int vocabulary : List.of(1, 2, 31, 32, 33, 1000, 1023, 1025, 32_003, 128_256)) {
            try (Workbench bench = workbench("argmax over %d", vocabulary)) {
                int rows = 5;
                float[] logits =
                        bench.normal(bench.activationType(), rows, vocabulary).values();
                // The largest at the start, at the end, twice; and a row of the same everywhere.
                logits[0] = 100;
                logits[2 * vocabulary - 1] = 100;
                logits[2 * vocabulary + vocabulary / 3] = 100;
                logits[2 * vocabulary + vocabulary / 2] = 100;
                for (int j = 0; j < vocabulary; j++) {
                    logits[3 * vocabulary + j] = -3;
                }
                int[] expected = new int[rows];
                for (int i = 0; i < rows; i++) {
                    for (int j = 0; j < vocabulary; j++) {
                        boolean isLarger = logits[i * vocabulary + j] > logits[i * vocabulary + expected[i]];
                        expected[i] = isLarger ? j : expected[i];
                    }
                }
                Exactly.same(bench.description(), expected, argmax(bench, logits, rows));
            }
        }
    }

    @Test
    void findsNoTokenWhereLogitsAreNoNumbers() {
        for (int vocabulary : List.of(3, 70, 5000)) {
            try (Workbench bench = workbench("argmax over %d with odd numbers", vocabulary)) {
                int rows = 6;
                float[] logits =
                        bench.normal(bench.activationType(), rows, vocabulary).values();
                logits[0] = Float.NaN;
                logits[2 * vocabulary - 1] = Float.NaN;
                logits[2 * vocabulary + vocabulary / 2] = Float.POSITIVE_INFINITY;
                java.util.Arrays.fill(logits, 3 * vocabulary, 5 * vocabulary, Float.NEGATIVE_INFINITY);
                logits[5 * vocabulary - 1] = -60_000;
                logits[5 * vocabulary] = Float.NEGATIVE_INFINITY;
                logits[5 * vocabulary + 1] = 100;
                int[] expected = {-1, -1, -1, -1, vocabulary - 1, 1};
                Exactly.same(bench.description(), expected, argmax(bench, logits, rows));
            }
        }
    }

    private static int[] argmax(Workbench bench, float[] logits, int rows) {
        Tensor ids = bench.intOutput(rows);
        Sample sample = Sample.of(bench.activationType(), logits, rows, logits.length / rows);
        bench.operations().dense().argmax(bench.input(sample), ids);
        return bench.intValues(ids);
    }

    @Test
    void fillsWithNormalNumbersByPlace() {
        for (DType type : STORAGE_TYPES) {
            for (int[] extents : new int[][] {{1}, {7}, {33, 65}, {200_003}}) {
                for (long seed : new long[] {0, 42, -7_000_000_000L}) {
                    try (Workbench bench =
                            workbench("normal %s %s, number %d", type, java.util.Arrays.toString(extents), seed)) {
                        fill(bench, type, extents, seed, 0.02);
                    }
                }
            }
        }
    }

    private static void fill(Workbench bench, DType type, int[] extents, long seed, double deviation) {
        Tensor target = bench.output(type, extents);
        bench.operations().dense().fillNormal(target, seed, deviation);
        float[] actual = bench.values(target);
        // The library's generator is SplitMix64 too.
        var random = new SplittableRandom(seed);
        double squares = 0;
        for (int i = 0; i < actual.length; i++) {
            long bits = random.nextLong();
            double u = ((bits >>> 32) + 0.5) / 0x1p32;
            double v = ((bits & 0xFFFFFFFFL) + 0.5) / 0x1p32;
            double exact = deviation * Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v);
            // Rounded once; the least number of F16 has a rounding of its own.
            double bound = Closeness.rounding(type) * 1.001 * Math.abs(exact) + (type == DType.F16 ? 0x1p-25 : 1e-12);
            assertThat(Math.abs(actual[i] - exact) <= bound)
                    .as("%s: element %d is %s, exactly %s", bench.description(), i, actual[i], exact)
                    .isTrue();
            squares += (double) actual[i] * actual[i];
        }
        if (actual.length > 100_000) {
            assertThat(Math.sqrt(squares / actual.length))
                    .as("%s: deviation", bench.description())
                    .isBetween(0.98 * deviation, 1.02 * deviation);
        }
    }
}
