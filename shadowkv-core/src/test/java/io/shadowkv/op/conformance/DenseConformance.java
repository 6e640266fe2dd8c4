package io.shadowkv.op.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.op.Backend;
import io.shadowkv.op.DenseOperations;
import io.shadowkv.op.testing.Closeness;
import io.shadowkv.op.testing.Exactly;
import io.shadowkv.op.testing.Judge;
import io.shadowkv.op.testing.PlainDense;
import io.shadowkv.op.testing.RotaryTable;
import io.shadowkv.op.testing.Sample;
import io.shadowkv.op.testing.Workbench;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Operations on rows outside attention and linear layers.
public abstract class DenseConformance extends BackendConformance {
    private static final List<Integer> WIDTHS = List.of(1, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 1000);

    private final Judge judge = new Judge();

    @Test
    void embedsRowsOfTheTable() {
        for (DType type : STORAGE_TYPES) {
            for (int width : WIDTHS) {
                try (Workbench bench = workbench("embed %s width %d", type, width)) {
                    int[] ids = {4, 0, 6, 4, 1};
                    Sample table = bench.normal(type, 7, width);
                    Tensor out = bench.output(bench.activationType(), ids.length, width);
                    bench.operations().dense().embed(bench.ints(ids, ids.length), bench.input(table), out);

                    float[] expected = new float[ids.length * width];
                    for (int i = 0; i < ids.length; i++) {
                        System.arraycopy(table.values(), ids[i] * width, expected, i * width, width);
                    }
                    Exactly.same(
                            bench.description(), Sample.round(bench.activationType(), expected), bench.values(out));
                }
            }
        }
    }

    @Test
    void normalizesRows() {
        for (int width : WIDTHS) {
            for (int rows : List.of(1, 5, 8)) {
                for (DType type : STORAGE_TYPES) {
                    try (Workbench bench = workbench("rmsNorm %s [%d, %d]", type, rows, width)) {
                        norm(bench, bench.normal(bench.activationType(), rows, width), bench.normal(type, width), 1e-5);
                    }
                }
            }
        }
    }

    @Test
    void normalizesZerosAndTinyRowsByEpsilon() {
        for (float value : new float[] {0, 1e-6f, 1e4f}) {
            try (Workbench bench = workbench("rmsNorm of rows of %s", value)) {
                DType type = bench.activationType();
                norm(bench, Sample.filled(type, value, 2, 33), bench.normal(DType.F32, 33), 1e-6);
            }
        }
    }

    /// A row may be normed where it is, as the heads of queries and keys are.
    @Test
    void normalizesInPlace() {
        for (int width : WIDTHS) {
            try (Workbench bench = workbench("rmsNorm in place [5, %d]", width)) {
                Sample x = bench.normal(bench.activationType(), 5, width);
                Sample weight = bench.normal(DType.F32, width);
                Tensor apart = bench.output(x.dtype(), x.extents());
                bench.operations().dense().rmsNorm(bench.input(x), bench.input(weight), 1e-6, apart);
                Tensor inPlace = bench.state(x);
                bench.operations().dense().rmsNorm(inPlace, bench.input(weight), 1e-6, inPlace);
                Exactly.same(bench.description(), bench.values(apart), bench.values(inPlace));
            }
        }
    }

    @Test
    void scalesInPlace() {
        for (int width : WIDTHS) {
            try (Workbench bench = workbench("scale [3, %d]", width)) {
                Sample x = bench.normal(bench.activationType(), 3, width);
                Tensor scaled = bench.state(x);
                bench.operations().dense().scale(scaled, 0.22f);
                float[] expected = x.values().clone();
                for (int i = 0; i < expected.length; i++) {
                    expected[i] *= 0.22f;
                }
                Exactly.same(bench.description(), Sample.round(bench.activationType(), expected), bench.values(scaled));
            }
        }
    }

    @Test
    void scalesRowsByATable() {
        for (int width : WIDTHS) {
            try (Workbench bench = workbench("scaleRows [5, 2, %d]", width)) {
                Sample x = bench.normal(bench.activationType(), 5, 2, width);
                int[] at = {3, 0, 6, 3, 1};
                Sample factors = bench.normal(DType.F32, 7);
                Tensor scaled = bench.state(x);
                bench.operations().dense().scaleRows(scaled, bench.ints(at, at.length), bench.input(factors));
                float[] expected = x.values().clone();
                for (int i = 0; i < expected.length; i++) {
                    expected[i] *= factors.values()[at[i / (2 * width)]];
                }
                Exactly.same(bench.description(), Sample.round(bench.activationType(), expected), bench.values(scaled));
            }
        }
    }

    @Test
    void addsToChosenRows() {
        for (int width : WIDTHS) {
            try (Workbench bench = workbench("addRows [3, %d]", width)) {
                Sample target = bench.normal(bench.activationType(), 6, width);
                Sample source = bench.normal(bench.activationType(), 3, width);
                int[] at = {4, 0, 3};
                Tensor sum = bench.state(target);
                bench.operations().dense().addRows(sum, bench.ints(at, at.length), bench.input(source));
                float[] expected = target.values().clone();
                for (int i = 0; i < source.values().length; i++) {
                    expected[at[i / width] * width + i % width] += source.values()[i];
                }
                Exactly.same(bench.description(), Sample.round(bench.activationType(), expected), bench.values(sum));
            }
        }
    }

    @Test
    void choosesTheMostLikelyExperts() {
        for (int[] sizes : new int[][] {{1, 1}, {7, 7}, {8, 2}, {33, 5}, {128, 8}, {1000, 40}}) {
            for (boolean isNormalised : new boolean[] {false, true}) {
                try (Workbench bench = workbench("chooseExperts %d of %d", sizes[1], sizes[0])) {
                    Sample logits = bench.normal(DType.F32, 5, sizes[0]);
                    // Equal logits: the lower number comes first.
                    logits.values()[sizes[0] - 1] = logits.values()[0];
                    choose(bench, Sample.of(DType.F32, logits.values(), 5, sizes[0]), sizes[1], isNormalised);
                }
            }
        }
    }

    /// Padding rows of a step may hold anything: their choices must still be experts that exist.
    @Test
    void choosesExpertsThatExistForRowsOfNaN() {
        try (Workbench bench = workbench("chooseExperts of NaN")) {
            float[] values = bench.normal(DType.F32, 2, 40).values();
            values[3] = Float.NaN;
            java.util.Arrays.fill(values, 40, 80, Float.NaN);
            Tensor ids = bench.intOutput(2, 4);
            Tensor shares = bench.output(DType.F32, 2, 4);
            bench.operations()
                    .dense()
                    .chooseExperts(bench.input(Sample.of(DType.F32, values, 2, 40)), true, ids, shares);
            int[] found = bench.intValues(ids);
            for (int row = 0; row < 2; row++) {
                assertThat(java.util.Arrays.stream(found, 4 * row, 4 * row + 4))
                        .as(bench.description())
                        .doesNotHaveDuplicates()
                        .allMatch(id -> id >= 0 && id < 40);
            }
            assertThat(bench.values(shares)).containsOnly(Float.NaN);
        }
    }

    private static void choose(Workbench bench, Sample logits, int count, boolean isNormalised) {
        int experts = logits.extents()[1];
        int rows = logits.extents()[0];
        Tensor ids = bench.intOutput(rows, count);
        Tensor shares = bench.output(DType.F32, rows, count);
        bench.operations().dense().chooseExperts(bench.input(logits), isNormalised, ids, shares);
        int[] expectedIds = new int[rows * count];
        float[] found = bench.values(shares);
        for (int row = 0; row < rows; row++) {
            int from = row * experts;
            List<Integer> order = java.util.stream.IntStream.range(0, experts)
                    .boxed()
                    .sorted(java.util.Comparator.comparingDouble(i -> -logits.values()[from + i]))
                    .toList();
            double all = order.stream()
                    .mapToDouble(i -> Math.exp(logits.values()[from + i]))
                    .sum();
            double chosen = order.subList(0, count).stream()
                    .mapToDouble(i -> Math.exp(logits.values()[from + i]))
                    .sum();
            for (int i = 0; i < count; i++) {
                expectedIds[row * count + i] = order.get(i);
                double share = Math.exp(logits.values()[from + order.get(i)]) / (isNormalised ? chosen : all);
                assertThat((double) found[row * count + i])
                        .as(bench.description())
                        .isCloseTo(share, org.assertj.core.api.Assertions.within(1e-5 * share));
            }
        }
        Exactly.same(bench.description(), expectedIds, bench.intValues(ids));
    }

    private void norm(Workbench bench, Sample x, Sample weight, double epsilon) {
        Tensor out = bench.output(x.dtype(), x.extents());
        bench.operations().dense().rmsNorm(bench.input(x), bench.input(weight), epsilon, out);
        Tensor exact = judge.output(x.extents());
        judge.operations().dense().rmsNorm(judge.input(x), judge.input(weight), epsilon, exact);
        float[] plain = PlainDense.rmsNorm(x.values(), weight.values(), (float) epsilon);
        new Closeness(bench.description(), x.dtype(), largest(plain))
                .check(Judge.values(exact), plain, bench.values(out));
    }

    @Test
    void addsInPlace() {
        for (int width : WIDTHS) {
            try (Workbench bench = workbench("add [3, %d]", width)) {
                Sample target = bench.normal(bench.activationType(), 3, width);
                Sample source = bench.normal(bench.activationType(), 3, width);
                Tensor sum = bench.state(target);
                bench.operations().dense().add(sum, bench.input(source));

                float[] expected = target.values().clone();
                for (int i = 0; i < expected.length; i++) {
                    expected[i] += source.values()[i];
                }
                Exactly.same(bench.description(), Sample.round(bench.activationType(), expected), bench.values(sum));
            }
        }
    }

    @Test
    void gatesInPlace() {
        for (int width : WIDTHS) {
            for (float scale : new float[] {1, 100}) {
                try (Workbench bench = workbench("gatedSilu [3, %d] times %s", width, scale)) {
                    DType type = bench.activationType();
                    float[] gates = bench.normal(type, 3, width).values();
                    for (int i = 0; i < gates.length; i++) {
                        gates[i] *= scale;
                    }
                    gatedSilu(bench, Sample.of(type, gates, 3, width), bench.normal(type, 3, width));
                }
            }
        }
    }

    private void gatedSilu(Workbench bench, Sample gate, Sample up) {
        Tensor gated = bench.state(gate);
        bench.operations().dense().gatedSilu(gated, bench.input(up));
        Tensor exact = judge.state(gate);
        judge.operations().dense().gatedSilu(exact, judge.input(up));
        float[] plain = PlainDense.gatedSilu(gate.values(), up.values());
        new Closeness(bench.description(), gate.dtype(), largest(plain))
                .check(Judge.values(exact), plain, bench.values(gated));
    }

    @Test
    void rotatesAllHeadDims() {
        for (int headDim : HEAD_DIMS) {
            for (int rotaryDim : List.of(headDim, headDim / 4 * 2)) {
                for (boolean interleaved : new boolean[] {false, true}) {
                    rotate(headDim, RotaryTable.of(50, rotaryDim, interleaved, 1), 1);
                    rotate(headDim, RotaryTable.of(50, rotaryDim, interleaved, 1.19), 7);
                }
            }
        }
    }

    private void rotate(int headDim, RotaryTable table, int heads) {
        try (Workbench bench = workbench(
                "rotate %d of %d, %d heads, interleaved %s, scaling %s",
                table.rotaryDim(), headDim, heads, table.interleaved(), table.scaling())) {
            int[] positions = {49, 0, 7, 7, 31};
            Sample x = bench.normal(bench.activationType(), positions.length, heads, headDim);
            Tensor rotated = bench.state(x);
            bench.operations().dense().rotate(rotated, bench.ints(positions, positions.length), bench.rotary(table));
            Tensor exact = judge.state(x);
            judge.operations().dense().rotate(exact, judge.ints(positions, positions.length), judge.rotary(table));

            float[] plain = PlainDense.rotate(x.values(), positions, headDim, table);
            float[] actual = bench.values(rotated);
            new Closeness(bench.description(), x.dtype(), 2 * largest(plain)).check(Judge.values(exact), plain, actual);
            for (int i = 0; i < actual.length; i++) {
                // What does not rotate is not touched at all.
                actual[i] = i % headDim < table.rotaryDim() ? x.values()[i] : actual[i];
            }
            Exactly.same(bench.description() + ", the elements that pass", x.values(), actual);
        }
    }

    @Test
    void rotatesQueriesAndKeysAsIfAlone() {
        for (int headDim : List.of(6, 64, 128)) {
            try (Workbench bench = workbench("rotate 8 heads and 2 of %d", headDim)) {
                var table = RotaryTable.of(50, headDim, false, 1);
                Tensor positions = bench.ints(new int[] {49, 0, 31}, 3);
                Sample queries = bench.normal(bench.activationType(), 3, 8, headDim);
                Sample keys = bench.normal(bench.activationType(), 3, 2, headDim);
                DenseOperations dense = bench.operations().dense();
                Tensor both = bench.state(queries);
                Tensor bothKeys = bench.state(keys);
                dense.rotate(both, bothKeys, positions, bench.rotary(table));
                Tensor alone = bench.state(queries);
                dense.rotate(alone, positions, bench.rotary(table));
                Tensor aloneKeys = bench.state(keys);
                dense.rotate(aloneKeys, positions, bench.rotary(table));
                Exactly.same(bench.description() + ", queries", bench.values(alone), bench.values(both));
                Exactly.same(bench.description() + ", keys", bench.values(aloneKeys), bench.values(bothKeys));
            }
        }
    }

    @Test
    void copiesBetweenTypesAndPlacesRoundingToNearestEven() {
        for (DType from : STORAGE_TYPES) {
            for (DType to : STORAGE_TYPES) {
                for (int count : WIDTHS) {
                    try (Workbench bench = workbench("copy %d from %s to %s", count, from, to)) {
                        Sample source = awkward(bench, from, count);
                        Tensor target = bench.output(to, 1, count);
                        bench.operations().dense().copy(bench.input(Backend.Place.HOST, source), target);
                        Exactly.same(bench.description(), Sample.round(to, source.values()), bench.values(target));
                    }
                }
            }
        }
    }

    /// Random bits of all magnitudes, and the numbers at which rounding goes wrong: ties, subnormals, overflow,
    /// no number.
    private static Sample awkward(Workbench bench, DType type, int count) {
        float[] special = {
            1 + 0x1p-8f,
            1 + 0x3p-8f,
            1 + 0x1p-11f,
            1 + 0x3p-11f,
            65504,
            65519.99f,
            65520,
            1e-7f,
            0x1p-25f,
            0x1.002p-25f,
            Float.MAX_VALUE,
            Float.MIN_VALUE,
            -0f,
            Float.NEGATIVE_INFINITY,
            Float.NaN,
            0x1.ffp127f,
            -3.14159f
        };
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = i % 3 == 0
                    ? special[i / 3 % special.length]
                    : Floats.fromBf16((short) bench.random().nextInt())
                            + (float) bench.random().nextGaussian();
        }
        return Sample.of(type, values, count);
    }

    static double largest(float[] values) {
        double largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }
}
