package io.shadowkv.op;

import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Operations on rows outside attention.
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
    void multipliesByWeightsOfAllTileSizes() {
        for (int rows : List.of(1, 2, 7, 8, 9, 17)) {
            for (int inputs : List.of(1, 7, 31, 32, 33, 64, 65, 130)) {
                for (int outputs : List.of(1, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65)) {
                    linear(activationType(), DType.BF16, activationType(), rows, inputs, outputs);
                }
            }
        }
    }

    @Test
    void multipliesByWeightsOfAllTypes() {
        for (DType x : STORAGE_TYPES) {
            for (DType weight : STORAGE_TYPES) {
                for (DType out : STORAGE_TYPES) {
                    for (int rows : supportsLinear(x, weight, out) ? List.of(1, 3, 16) : List.<Integer>of()) {
                        linear(x, weight, out, rows, 97, 41);
                    }
                }
            }
        }
    }

    @Test
    void multipliesLargeMatrices() {
        for (DType weight : STORAGE_TYPES) {
            linear(activationType(), weight, activationType(), 1, 4096, 515);
            linear(activationType(), weight, activationType(), 131, 520, 390);
            // Logits.
            for (int rows : List.of(1, 9, 33, 70)) {
                linear(activationType(), weight, DType.F32, rows, 512, 264);
            }
        }
    }

    private void linear(DType xType, DType weightType, DType outType, int rows, int inputs, int outputs) {
        for (boolean biased : new boolean[] {false, true}) {
            try (Workbench bench = workbench(
                    "linear %s [%d, %d] · %s [%d]ᵀ%s = %s",
                    xType, rows, inputs, weightType, outputs, biased ? " + bias" : "", outType)) {
                Sample x = bench.normal(xType, rows, inputs);
                Sample weight = bench.normal(weightType, outputs, inputs);
                linear(bench, x, weight, biased ? bench.normal(weightType, outputs) : null, outType);
            }
        }
    }

    private void linear(Workbench bench, Sample x, Sample weight, @Nullable Sample bias, DType outType) {
        int[] extents = {x.extent(0), weight.extent(0)};
        Tensor out = bench.output(outType, extents);
        bench.operations()
                .dense()
                .linear(bench.input(x), bench.input(weight), bias == null ? null : bench.input(bias), out);
        checkLinear(bench, x, weight, bias, out);
    }

    private void checkLinear(Workbench bench, Sample x, Sample weight, @Nullable Sample bias, Tensor out) {
        int[] extents = {x.extent(0), weight.extent(0)};
        Tensor exact = judge.output(extents);
        judge.operations()
                .dense()
                .linear(judge.input(x), judge.input(weight), bias == null ? null : judge.input(bias), exact);
        float[] biases = bias == null ? null : bias.values();
        float[] plain = PlainDense.linear(x.values(), weight.values(), biases, x.extent(1));
        float[] terms = PlainDense.linear(absolute(x.values()), absolute(weight.values()), null, x.extent(1));
        // Tensor cores cut off what they add to a float sum of 16-bit products, where others round: twice the error.
        boolean isHalf = x.dtype().bytes() == 2 && weight.dtype().bytes() == 2;
        new Closeness(bench.description(), out.dtype(), (isHalf ? 2 : 1) * (1 + largest(terms)))
                .check(Judge.values(exact), plain, bench.values(out));
    }

    @Test
    void multipliesBySeveralWeightsAtOnce() {
        for (int rows : List.of(1, 3, 8, 33)) {
            for (int[] outputs : new int[][] {{64, 16, 16}, {33, 1, 7}, {128, 128}, {5}}) {
                for (boolean together : new boolean[] {false, true}) {
                    severalWeights(rows, 80, outputs, together);
                }
            }
        }
    }

    /// @param together true for weights that lie one after the other in memory
    private void severalWeights(int rows, int inputs, int[] outputs, boolean together) {
        try (Workbench bench =
                workbench("%d rows by weights of %s outputs, together %s", rows, Arrays.toString(outputs), together)) {
            DType type = bench.activationType();
            Sample x = bench.normal(type, rows, inputs);
            Sample all = bench.normal(DType.BF16, Arrays.stream(outputs).sum(), inputs);
            Tensor whole = bench.input(all);
            List<Sample> weights = new ArrayList<>();
            List<@Nullable Sample> biases = new ArrayList<>();
            List<Tensor> views = new ArrayList<>();
            List<Tensor> outs = new ArrayList<>();
            int row = 0;
            for (int count : outputs) {
                float[] own = Arrays.copyOfRange(all.values(), row * inputs, (row + count) * inputs);
                Sample weight = new Sample(DType.BF16, own, count, inputs);
                views.add(together ? whole.slice(row, count) : bench.input(weight));
                weights.add(weight);
                biases.add(weights.size() % 2 == 0 ? bench.normal(DType.BF16, count) : null);
                outs.add(bench.output(type, rows, count));
                row += count;
            }
            List<@Nullable Tensor> placed = new ArrayList<>();
            biases.forEach(bias -> placed.add(bias == null ? null : bench.input(bias)));
            bench.operations().dense().linears(bench.input(x), views, placed, outs);
            for (int i = 0; i < outputs.length; i++) {
                checkLinear(bench, x, weights.get(i), biases.get(i), outs.get(i));
            }
        }
    }

    @Test
    void addsAProduct() {
        for (int rows : List.of(1, 3, 8, 33)) {
            for (int outputs : List.of(1, 64, 131)) {
                for (boolean biased : new boolean[] {false, true}) {
                    try (Workbench bench = workbench("add [%d, 96] · [%d]ᵀ, bias %s", rows, outputs, biased)) {
                        DType type = bench.activationType();
                        Sample x = bench.normal(type, rows, 96);
                        Sample weight = bench.normal(DType.BF16, outputs, 96);
                        Sample target = bench.normal(type, rows, outputs);
                        addProduct(bench, x, weight, biased ? bench.normal(DType.BF16, outputs) : null, target);
                    }
                }
            }
        }
    }

    private void addProduct(Workbench bench, Sample x, Sample weight, @Nullable Sample bias, Sample target) {
        Tensor sum = bench.state(target);
        Tensor scratch = bench.output(target.dtype(), target.extents());
        Tensor placedBias = bias == null ? null : bench.input(bias);
        bench.operations().dense().addLinear(bench.input(x), bench.input(weight), placedBias, scratch, sum);
        Tensor exact = judge.state(target);
        Tensor exactBias = bias == null ? null : judge.input(bias);
        Tensor exactScratch = judge.output(target.extents());
        judge.operations().dense().addLinear(judge.input(x), judge.input(weight), exactBias, exactScratch, exact);

        // Rounded twice, as whoever multiplies and then adds must.
        float[] biases = bias == null ? null : bias.values();
        float[] product = PlainDense.linear(x.values(), weight.values(), biases, x.extent(1));
        float[] plain = Sample.round(target.dtype(), product);
        for (int i = 0; i < plain.length; i++) {
            plain[i] += target.values()[i];
        }
        float[] terms = PlainDense.linear(absolute(x.values()), absolute(weight.values()), null, x.extent(1));
        // The product may be larger than the sum, and with it its rounding.
        double magnitude = 1 + largest(terms) + largest(product) * Closeness.rounding(target.dtype()) / 0x1p-24;
        new Closeness(bench.description(), target.dtype(), magnitude)
                .check(Judge.values(exact), plain, bench.values(sum));
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
    void gatesAProduct() {
        for (int rows : List.of(1, 8, 9, 33, 70)) {
            for (int outputs : List.of(1, 63, 64, 131)) {
                for (boolean biased : new boolean[] {false, true}) {
                    try (Workbench bench = workbench("gate [%d, 200] · [%d]ᵀ, bias %s", rows, outputs, biased)) {
                        gatedLinear(bench, rows, 200, outputs, biased);
                    }
                }
            }
        }
    }

    private void gatedLinear(Workbench bench, int rows, int inputs, int outputs, boolean biased) {
        DType type = bench.activationType();
        Sample x = bench.normal(type, rows, inputs);
        List<Sample> weights = List.of(
                bench.normal(DType.BF16, outputs, inputs), bench.normal(DType.BF16, outputs, inputs));
        @Nullable Sample bias = biased ? bench.normal(DType.BF16, outputs) : null;
        Tensor gated = bench.output(type, rows, outputs);
        bench.operations()
                .dense()
                .gatedLinear(
                        bench.input(x),
                        weights.stream().map(bench::input).toList(),
                        Collections.nCopies(2, bias == null ? null : bench.input(bias)),
                        gated,
                        bench.output(type, rows, outputs));
        Tensor exact = judge.output(rows, outputs);
        judge.operations()
                .dense()
                .gatedLinear(
                        judge.input(x),
                        weights.stream().map(judge::input).toList(),
                        Collections.nCopies(2, bias == null ? null : judge.input(bias)),
                        exact,
                        judge.output(rows, outputs));

        // Rounded three times, as whoever multiplies and then gates must.
        float[] biases = bias == null ? null : bias.values();
        float[] gate = PlainDense.linear(x.values(), weights.getFirst().values(), biases, inputs);
        float[] up = PlainDense.linear(x.values(), weights.getLast().values(), biases, inputs);
        float[] plain = PlainDense.gatedSilu(Sample.round(type, gate), Sample.round(type, up));
        // Each factor is as far off as the terms of its sum say, and that times the other one.
        double[] terms = new double[2];
        for (int i = 0; i < 2; i++) {
            terms[i] = 1 + largest(PlainDense.linear(
                    absolute(x.values()), absolute(weights.get(i).values()), null, inputs));
        }
        double sums = terms[0] * largest(up) + terms[1] * largest(gate);
        double magnitude = sums + 2 * largest(plain) * Closeness.rounding(type) / 0x1p-24;
        new Closeness(bench.description(), type, magnitude).check(Judge.values(exact), plain, bench.values(gated));
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

    private static float[] absolute(float[] values) {
        float[] result = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            result[i] = Math.abs(values[i]);
        }
        return result;
    }

    static double largest(float[] values) {
        double largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }
}
