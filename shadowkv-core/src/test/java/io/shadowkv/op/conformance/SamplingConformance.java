package io.shadowkv.op.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.op.SamplingOperations;
import io.shadowkv.op.testing.Exactly;
import io.shadowkv.op.testing.Judge;
import io.shadowkv.op.testing.Sample;
import io.shadowkv.op.testing.Workbench;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// Operations on logits. Selected logits, ids, changes and masks are compared exactly, log sums with
/// a plain loop in double.
public abstract class SamplingConformance extends BackendConformance {
    private static final float NONE = Float.NEGATIVE_INFINITY;
    private static final List<Integer> VOCABULARIES =
            List.of(1, 2, 31, 32, 33, 1000, 1023, 1024, 1025, 4096, 4097, 16_383, 16_385, 32_003, 65_537, 128_256);
    private static final List<Integer> COUNTS = List.of(1, 2, 31, 32, 33, 127, 256, 257, 1000, 1023, 1024);
    private static final float[] FACTORS = {1, 0, 0.5f, 1 / 0.7f, 1, 40, 1e30f};

    @Test
    void selectsTheLargestInDescendingOrder() {
        for (int i = 0; i < 2 * VOCABULARIES.size(); i++) {
            top(cycle(List.of(1, 2, 3, 7), i), cycle(VOCABULARIES, i), cycle(COUNTS, i));
        }
        top(1, 151_936, 1024);
        top(2, 262_144, 1024);
        top(1, SamplingOperations.MAX_VOCABULARY - 1, 1024);
        top(1, SamplingOperations.MAX_VOCABULARY, 1);
        top(33, 5003, 50);
    }

    private void top(int rows, int vocabulary, int k) {
        try (Workbench bench = workbench("top %d of %d in %d rows", k, vocabulary, rows)) {
            float[] logits = new float[rows * vocabulary];
            for (int i = 0; i < logits.length; i++) {
                logits[i] = (float) (3 * bench.random().nextGaussian() + i / vocabulary);
            }
            check(bench, logits, rows, k);
        }
    }

    @Test
    void ofEqualLogitsTheLowerIdsComeFirst() {
        for (int i = 0; i < 2 * 5; i++) {
            int vocabulary = cycle(List.of(33, 1, 16_385, 40_003, 1025), i);
            int k = cycle(List.of(33, 1, 700, 1024), i);
            try (Workbench bench = workbench("top %d of %d with equals", k, vocabulary)) {
                int rows = 5;
                float[] logits = bench.normal(DType.BF16, rows, vocabulary).values();
                for (int j = 0; j < vocabulary; j++) {
                    logits[j] = -2.5f;
                    logits[vocabulary + j] = (j & 1) == 0 ? 0f : -0f;
                    logits[2 * vocabulary + j] = Math.round(4 * logits[2 * vocabulary + j]) / 4f;
                    // Equals from some place in the middle to the end.
                    logits[3 * vocabulary + j] = j < vocabulary / 2 ? -1 - j : 5;
                }
                check(bench, logits, rows, k);
            }
        }
    }

    @Test
    void whatIsImpossibleIsNotSelected() {
        for (int vocabulary : List.of(5, 70, 5000, 33_000)) {
            for (int k : List.of(3, 64, 1024)) {
                try (Workbench bench = workbench("top %d of %d, most impossible", k, vocabulary)) {
                    int rows = 5;
                    float[] logits = bench.normal(DType.F32, rows, vocabulary).values();
                    for (int j = 0; j < vocabulary; j++) {
                        logits[j] = j == vocabulary / 2 ? -1e30f : NONE;
                        logits[vocabulary + j] = j % 7 == 3 ? logits[vocabulary + j] : NONE;
                        logits[2 * vocabulary + j] = j == 0 ? 3e38f : j == 1 ? -3e38f : NONE;
                        logits[3 * vocabulary + j] = j < vocabulary - 2 ? NONE : 1e-40f * j;
                    }
                    check(bench, logits, rows, k);
                }
            }
        }
    }

    @Test
    void aRowThatIsNoNumbersHasNoCandidates() {
        for (int vocabulary : List.of(3, 70, 5000, 33_000)) {
            try (Workbench bench = workbench("top of %d with odd numbers", vocabulary)) {
                int rows = 7;
                float[] logits = bench.normal(DType.F32, rows, vocabulary).values();
                logits[0] = Float.NaN;
                logits[2 * vocabulary - 1] = Float.intBitsToFloat(0xFFC0_0001);
                logits[2 * vocabulary + vocabulary / 2] = Float.POSITIVE_INFINITY;
                Arrays.fill(logits, 3 * vocabulary, 4 * vocabulary, NONE);
                Arrays.fill(logits, 5 * vocabulary, 6 * vocabulary, NONE);
                logits[5 * vocabulary + 1] = Float.NaN;
                int[] ids = check(bench, logits, rows, 5);
                for (int i = 0; i < rows; i++) {
                    assertThat(ids[5 * i] < 0)
                            .as("%s: row %d has none", bench.description(), i)
                            .isEqualTo(i != 4 && i != 6);
                }
            }
        }
    }

    /// Compares one selection with the reference's and returns the ids.
    private static int[] check(Workbench bench, float[] logits, int rows, int k) {
        int vocabulary = logits.length / rows;
        float[] factors = factors(rows);
        Tensor values = bench.output(DType.F32, rows, k);
        Tensor ids = bench.intOutput(rows, k);
        Tensor sums = bench.output(DType.F32, rows, 2);
        Sample sample = Sample.of(DType.F32, logits, rows, vocabulary);
        Tensor inverse = bench.input(Sample.of(DType.F32, factors, rows));
        bench.operations().sampling().topLogits(bench.input(sample), inverse, values, ids, sums);
        compare(bench, sample, k, bench.values(values), bench.intValues(ids));
        compareSums(bench, logits, factors, bench.values(sums));
        return bench.intValues(ids);
    }

    private static float[] factors(int rows) {
        float[] factors = new float[rows];
        for (int i = 0; i < rows; i++) {
            factors[i] = FACTORS[i % FACTORS.length];
        }
        return factors;
    }

    private static void compare(Workbench bench, Sample logits, int k, float[] values, int[] ids) {
        Judge judge = new Judge();
        int rows = logits.extent(0);
        Tensor expected = judge.input(Sample.filled(DType.F32, 0, rows, k));
        Tensor expectedIds = judge.ints(new int[rows * k], rows, k);
        judge.operations()
                .sampling()
                .topLogits(
                        judge.input(logits),
                        judge.input(Sample.filled(DType.F32, 1, rows)),
                        expected,
                        expectedIds,
                        judge.input(Sample.filled(DType.F32, 0, rows, 2)));
        int[] exact = expectedIds.segment().toArray(java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED);
        Exactly.same(bench.description() + ": ids", exact, ids);
        Exactly.same(bench.description() + ": values", Floats.toArray(expected), values);
    }

    private static void compareSums(Workbench bench, float[] logits, float[] factors, float[] sums) {
        int vocabulary = logits.length / factors.length;
        for (int i = 0; i < factors.length; i++) {
            float[] row = Arrays.copyOfRange(logits, i * vocabulary, (i + 1) * vocabulary);
            for (int which = 0; which < 2; which++) {
                double exact = logSum(row, which == 0 ? 1 : factors[i]);
                double error = Math.abs(sums[2 * i + which] - exact);
                boolean isRight = Double.isNaN(exact) ? Double.isNaN(error) : error <= SamplingOperations.LOG_SUM_ERROR;
                assertThat(isRight)
                        .as(
                                "%s: log sum %d of row %d is %s, exactly %s",
                                bench.description(), which, i, sums[2 * i + which], exact)
                        .isTrue();
            }
        }
    }

    private static double logSum(float[] row, double factor) {
        double largest = NONE;
        for (float logit : row) {
            largest = Math.max(largest, logit);
        }
        double sum = 0;
        for (float logit : row) {
            sum += logit == NONE ? 0 : Math.exp((logit - largest) * factor);
        }
        return Double.isFinite(largest) ? Math.log(sum) : Double.NaN;
    }

    @Test
    void changesSingleLogits() {
        for (int vocabulary : List.of(1, 33, 1000, 32_003)) {
            for (int entries : List.of(1, 2, 255, 256, 257, 3001)) {
                try (Workbench bench = workbench("%d changes of rows of %d", entries, vocabulary)) {
                    adjust(bench, vocabulary, entries);
                }
            }
        }
    }

    private static void adjust(Workbench bench, int vocabulary, int entries) {
        int rows = 3;
        SplittableRandom random = bench.random();
        float[] logits = bench.normal(DType.F32, rows, vocabulary).values();
        logits[0] = NONE;
        logits[logits.length - 1] = Float.NaN;
        int[] free = random.ints(0, rows * vocabulary)
                .distinct()
                .limit(Math.min(entries, logits.length))
                .toArray();
        int[] places = new int[2 * entries];
        float[] changes = new float[2 * entries];
        float[] expected = logits.clone();
        for (int e = 0; e < entries; e++) {
            boolean isEntry = e < free.length && random.nextInt(8) > 0;
            places[2 * e] = isEntry ? free[e] / vocabulary : -1;
            places[2 * e + 1] = isEntry ? free[e] % vocabulary : -7;
            changes[2 * e] = random.nextInt(3) == 0 ? 1 : (float) (0.5 + random.nextDouble());
            changes[2 * e + 1] =
                    random.nextInt(5) == 0 ? NONE : random.nextInt(3) == 0 ? 0 : (float) random.nextGaussian();
            if (isEntry) {
                float logit = expected[free[e]];
                float penalized = logit > 0 ? logit / changes[2 * e] : logit * changes[2 * e];
                expected[free[e]] = penalized + changes[2 * e + 1];
            }
        }
        Tensor target = bench.state(Sample.of(DType.F32, logits, rows, vocabulary));
        bench.operations()
                .sampling()
                .adjustLogits(
                        target, bench.ints(places, entries, 2), bench.input(Sample.of(DType.F32, changes, entries, 2)));
        Exactly.same(bench.description(), expected, bench.values(target));
    }

    @Test
    void masksWhatIsForbidden() {
        for (int vocabulary : List.of(1, 31, 32, 33, 100, 1023, 1025, 4099, 32_003, 128_256)) {
            try (Workbench bench = workbench("masks over %d", vocabulary)) {
                int rows = 5;
                int words = Math.ceilDiv(vocabulary, 32);
                float[] logits = bench.normal(DType.F32, rows, vocabulary).values();
                logits[0] = Float.NaN;
                int[] bits = bench.random().ints((long) rows * words).toArray();
                Arrays.fill(bits, words, 2 * words, -1);
                Arrays.fill(bits, 2 * words, 3 * words, 0);
                int[] masked = {1, 1, -5, 0, 1};
                float[] expected = logits.clone();
                for (int i = 0; i < rows; i++) {
                    for (int j = 0; j < vocabulary; j++) {
                        boolean isAllowed = masked[i] == 0 || (bits[i * words + j / 32] >>> j % 32 & 1) == 1;
                        expected[i * vocabulary + j] = isAllowed ? expected[i * vocabulary + j] : NONE;
                    }
                }
                Tensor target = bench.state(Sample.of(DType.F32, logits, rows, vocabulary));
                bench.operations()
                        .sampling()
                        .maskLogits(target, bench.ints(bits, rows, words), bench.ints(masked, rows));
                Exactly.same(bench.description(), expected, bench.values(target));
            }
        }
    }

    /// A recorded step selects from what its tensors hold when it is replayed.
    @Test
    void isPartOfARecordedStep() {
        try (Workbench bench = workbench("a recorded selection")) {
            int rows = 3;
            int vocabulary = 20_011;
            int k = 100;
            Tensor logits = bench.state(Sample.filled(DType.F32, 0, rows, vocabulary));
            Tensor inverse = bench.input(Sample.of(DType.F32, factors(rows), rows));
            int[] allowed = new int[rows * Math.ceilDiv(vocabulary, 32)];
            Arrays.fill(allowed, 0xFFFF_FF0F);
            Tensor bits = bench.ints(allowed, rows, allowed.length / rows);
            Tensor masked = bench.ints(new int[] {1, 0, 1}, rows);
            Tensor places = bench.ints(new int[] {0, 1, 1, 5, -1, 0}, 3, 2);
            Tensor changes = bench.input(Sample.of(DType.F32, new float[] {2, 9, 1, -3, 1, 0}, 3, 2));
            Tensor values = bench.output(DType.F32, rows, k);
            Tensor ids = bench.intOutput(rows, k);
            Tensor sums = bench.output(DType.F32, rows, 2);
            SamplingOperations sampling = bench.operations().sampling();
            for (int run = 0; run < 4; run++) {
                float[] row = bench.normal(DType.F32, rows, vocabulary).values();
                bench.refill(logits, row);
                backend().replay("a recorded selection", () -> {
                    sampling.adjustLogits(logits, places, changes);
                    sampling.maskLogits(logits, bits, masked);
                    sampling.topLogits(logits, inverse, values, ids, sums);
                });
                float[] changed = bench.values(logits);
                assertThat(changed[4]).isEqualTo(NONE);
                assertThat(changed[vocabulary + 5]).isEqualTo(row[vocabulary + 5] - 3);
                Sample seen = Sample.of(DType.F32, changed, rows, vocabulary);
                compare(bench, seen, k, bench.values(values), bench.intValues(ids));
                compareSums(bench, changed, factors(rows), bench.values(sums));
            }
        }
    }

    @Test
    void doesNothingWithoutRows() {
        try (Workbench bench = workbench("no rows")) {
            SamplingOperations sampling = bench.operations().sampling();
            Tensor logits = bench.state(Sample.filled(DType.F32, 1, 0, 100));
            sampling.topLogits(
                    logits,
                    bench.output(DType.F32, 0),
                    bench.output(DType.F32, 0, 5),
                    bench.intOutput(0, 5),
                    bench.output(DType.F32, 0, 2));
            sampling.adjustLogits(logits, bench.intOutput(0, 2), bench.output(DType.F32, 0, 2));
            sampling.maskLogits(logits, bench.intOutput(0, 4), bench.intOutput(0));
        }
    }

    @Test
    void refusesWhatDoesNotFit() {
        try (Workbench bench = workbench("shapes that do not fit")) {
            SamplingOperations sampling = bench.operations().sampling();
            Tensor logits = bench.output(DType.F32, 2, 100);
            Tensor inverse = bench.output(DType.F32, 2);
            Tensor sums = bench.output(DType.F32, 2, 2);
            assertThatThrownBy(() -> sampling.topLogits(
                            logits, inverse, bench.output(DType.F32, 2, 1025), bench.intOutput(2, 1025), sums))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("expected F32 [rows, k] with k from 1 to 1024");
            assertThatThrownBy(() -> sampling.topLogits(
                            logits, inverse, bench.output(DType.F32, 2, 5), bench.intOutput(2, 6), sums))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("the ids are I32 [2, 6]; expected I32 [2, 5]");
            assertThatThrownBy(() -> sampling.topLogits(
                            bench.output(DType.BF16, 2, 100),
                            inverse,
                            bench.output(DType.F32, 2, 5),
                            bench.intOutput(2, 5),
                            sums))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("logits are BF16 [2, 100]; expected F32 [rows, vocabulary]");
            assertThatThrownBy(() -> sampling.adjustLogits(logits, bench.intOutput(4, 2), sums))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("the changes are F32 [2, 2]; expected F32 [4, 2]");
            assertThatThrownBy(() -> sampling.maskLogits(logits, bench.intOutput(2, 3), bench.intOutput(2)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("the bits are I32 [2, 3]; expected I32 [2, 4]");
        }
    }
}
