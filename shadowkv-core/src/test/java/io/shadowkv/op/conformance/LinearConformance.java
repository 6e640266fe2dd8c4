package io.shadowkv.op.conformance;

import static io.shadowkv.op.conformance.DenseConformance.largest;

import io.shadowkv.op.testing.Closeness;
import io.shadowkv.op.testing.Judge;
import io.shadowkv.op.testing.PlainDense;
import io.shadowkv.op.testing.Sample;
import io.shadowkv.op.testing.Workbench;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Products with weights, alone, several at once, added and gated.
public abstract class LinearConformance extends BackendConformance {
    private final Judge judge = new Judge();

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

        // Rounded twice, like a multiplication followed by an addition.
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
        List<Sample> weights =
                List.of(bench.normal(DType.BF16, outputs, inputs), bench.normal(DType.BF16, outputs, inputs));
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

        // Rounded three times, like two multiplications followed by the gate.
        float[] biases = bias == null ? null : bias.values();
        float[] gate = PlainDense.linear(x.values(), weights.getFirst().values(), biases, inputs);
        float[] up = PlainDense.linear(x.values(), weights.getLast().values(), biases, inputs);
        float[] plain = PlainDense.gatedSilu(Sample.round(type, gate), Sample.round(type, up));
        // Each factor is as far off as the terms of its sum say, and that times the other one.
        double[] terms = new double[2];
        for (int i = 0; i < 2; i++) {
            terms[i] = 1
                    + largest(PlainDense.linear(
                            absolute(x.values()), absolute(weights.get(i).values()), null, inputs));
        }
        double sums = terms[0] * largest(up) + terms[1] * largest(gate);
        double magnitude = sums + 2 * largest(plain) * Closeness.rounding(type) / 0x1p-24;
        new Closeness(bench.description(), type, magnitude).check(Judge.values(exact), plain, bench.values(gated));
    }

    private static float[] absolute(float[] values) {
        float[] result = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            result[i] = Math.abs(values[i]);
        }
        return result;
    }
}
