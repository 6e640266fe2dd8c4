package io.shadowkv.op.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.op.testing.Closeness;
import io.shadowkv.op.testing.Exactly;
import io.shadowkv.op.testing.Judge;
import io.shadowkv.op.testing.PlainDense;
import io.shadowkv.op.testing.RandomBlocks;
import io.shadowkv.op.testing.RandomGroups;
import io.shadowkv.op.testing.Sample;
import io.shadowkv.op.testing.Workbench;
import io.shadowkv.tensor.BlockFormat;
import io.shadowkv.tensor.BlockWeight;
import io.shadowkv.tensor.CodeLayout;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.GroupedWeight;
import io.shadowkv.tensor.GroupedWeight.Groups;
import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Products with quantised weights.
public abstract class QuantisedConformance extends BackendConformance {
    private final Judge judge = new Judge();

    @Test
    void multipliesByBlocksOfEveryFormat() {
        for (BlockFormat format : BlockFormat.values()) {
            for (int rows : List.of(1, 2, 7, 8, 9, 33)) {
                for (int blocks : List.of(1, 3)) {
                    for (int outputs : List.of(1, 3, 4, 65)) {
                        product(format, rows, blocks * format.elements(), outputs, outputs % 2 == 0);
                    }
                }
            }
            product(format, 1, 2048, 515, true);
            product(format, 131, 1536, 70, true);
            // More rows than are multiplied in pieces, and more tiles and columns than multiprocessors share.
            product(format, 300, 512, 130, true);
            product(format, 64, 768, 1030, false);
        }
    }

    private void product(BlockFormat format, int rows, int inputs, int outputs, boolean biased) {
        try (Workbench bench = workbench("[%d, %d] · %s [%d]ᵀ, bias %s", rows, inputs, format, outputs, biased)) {
            Sample x = bench.normal(activationType(), rows, inputs);
            // One byte in front: blocks need not be aligned.
            BlockWeight weight = RandomBlocks.of(bench.random(), format, outputs, inputs, 1);
            @Nullable Sample bias = biased ? bench.normal(activationType(), outputs) : null;
            Tensor out = bench.output(activationType(), rows, outputs);
            bench.operations()
                    .dense()
                    .linear(bench.input(x), bench.weight(weight), bias == null ? null : bench.input(bias), out);
            check(bench, x, weight, bias, out);
        }
    }

    @Test
    void multipliesByCodesOfEveryLayout() {
        for (CodeLayout layout : CodeLayout.values()) {
            for (int rows : List.of(1, 8, 9, 33)) {
                grouped(layout, rows, new Groups(24, 256, 1, 128), DType.F16);
                grouped(layout, rows, new Groups(72, 320, 1, 320), DType.BF16);
            }
            if (!layout.isTransposed()) {
                // Groups that end in the middle of a row or of a vector.
                grouped(layout, 3, new Groups(17, 192, 16, 128), DType.F32);
                grouped(layout, 1, new Groups(9, 131, 4, 37), DType.F32);
                grouped(layout, 2, new Groups(5, 48, 5, 48), DType.F32);
            }
        }
    }

    private void grouped(CodeLayout layout, int rows, Groups groups, DType scaleType) {
        try (Workbench bench = workbench("%d rows · %s %s", rows, layout, groups)) {
            Sample x = bench.normal(activationType(), rows, groups.inputs());
            multiply(bench, x, RandomGroups.of(bench.random(), layout, groups, scaleType));
        }
    }

    /// Groups of GPTQ whose columns are not neighbours; more groups than columns are decoded at a time,
    /// and a group that is not full.
    @Test
    void multipliesByCodesInActivationOrder() {
        for (int rows : List.of(1, 8, 9, 33)) {
            ordered(rows, new Groups(24, 256, 1, 32), DType.F16);
            ordered(rows, new Groups(72, 2080, 1, 128), DType.BF16);
            ordered(rows, new Groups(8, 1024, 1, 1), DType.F32);
        }
    }

    private void ordered(int rows, Groups groups, DType scaleType) {
        try (Workbench bench = workbench("%d rows · GPTQ_4 %s in activation order", rows, groups)) {
            Sample x = bench.normal(activationType(), rows, groups.inputs());
            GroupedWeight neighbours = RandomGroups.of(bench.random(), CodeLayout.GPTQ_4, groups, scaleType);
            multiply(bench, x, RandomGroups.ordered(bench.random(), neighbours));
        }
    }

    private void multiply(Workbench bench, Sample x, GroupedWeight whole) {
        int first = whole.outputs() / 3;
        for (Weight weight : List.of(whole, whole.slice(first, whole.outputs() - first))) {
            Tensor out = bench.output(activationType(), x.extent(0), weight.outputs());
            bench.operations().dense().linear(bench.input(x), bench.weight(weight), null, out);
            check(bench, x, weight, null, out);
        }
    }

    @Test
    void addsAProduct() {
        for (BlockFormat format : BlockFormat.values()) {
            for (int rows : List.of(1, 9, 70)) {
                try (Workbench bench = workbench("add %d rows by %s", rows, format)) {
                    Sample x = bench.normal(activationType(), rows, 512);
                    BlockWeight weight = RandomBlocks.of(bench.random(), format, 131, 512, 1);
                    Sample bias = bench.normal(activationType(), 131);
                    Sample before = bench.normal(activationType(), rows, 131);
                    Tensor sum = bench.state(before);
                    Tensor scratch = bench.output(activationType(), rows, 131);
                    bench.operations()
                            .dense()
                            .addLinear(bench.input(x), bench.weight(weight), bench.input(bias), scratch, sum);
                    Tensor exact = judge.state(before);
                    Tensor exactScratch = judge.output(rows, 131);
                    judge.operations()
                            .dense()
                            .addLinear(judge.input(x), weight, judge.input(bias), exactScratch, exact);
                    // Rounded twice, like a multiplication followed by an addition.
                    float[] numbers = RandomBlocks.decoded(weight);
                    float[] plain =
                            Sample.round(activationType(), PlainDense.linear(x.values(), numbers, bias.values(), 512));
                    double product = DenseConformance.largest(plain);
                    for (int i = 0; i < plain.length; i++) {
                        plain[i] += before.values()[i];
                    }
                    float[] terms = PlainDense.linear(absolute(x.values()), absolute(numbers), null, 512);
                    double magnitude = 1
                            + DenseConformance.largest(terms)
                            + product * Closeness.rounding(activationType()) / 0x1p-24;
                    new Closeness(bench.description(), activationType(), magnitude)
                            .check(Judge.values(exact), plain, bench.values(sum));
                }
            }
        }
    }

    /// Also two matrices of different formats, as files of mixed quantisation have them.
    @Test
    void gatesAProduct() {
        for (int rows : List.of(1, 12, 70)) {
            for (BlockFormat format : BlockFormat.values()) {
                gated(rows, format, format);
            }
            gated(rows, BlockFormat.Q4_K, BlockFormat.Q6_K);
        }
    }

    private void gated(int rows, BlockFormat gateFormat, BlockFormat upFormat) {
        try (Workbench bench = workbench("gate %d rows by %s and %s", rows, gateFormat, upFormat)) {
            Sample x = bench.normal(activationType(), rows, 256);
            List<BlockWeight> weights = List.of(
                    RandomBlocks.of(bench.random(), gateFormat, 200, 256, 1),
                    RandomBlocks.of(bench.random(), upFormat, 200, 256, 1));
            Tensor gate = bench.output(activationType(), rows, 200);
            bench.operations()
                    .dense()
                    .gatedLinear(
                            bench.input(x),
                            weights.stream().map(bench::weight).toList(),
                            Arrays.asList(null, null),
                            gate,
                            bench.output(activationType(), rows, 200));
            float[] first = PlainDense.linear(x.values(), RandomBlocks.decoded(weights.getFirst()), null, 256);
            float[] second = PlainDense.linear(x.values(), RandomBlocks.decoded(weights.getLast()), null, 256);
            float[] plain =
                    PlainDense.gatedSilu(Sample.round(activationType(), first), Sample.round(activationType(), second));
            Tensor exact = judge.output(rows, 200);
            judge.operations()
                    .dense()
                    .gatedLinear(judge.input(x), weights, Arrays.asList(null, null), exact, judge.output(rows, 200));
            double sums = DenseConformance.largest(first) + DenseConformance.largest(second);
            double magnitude =
                    512 * sums + 2 * DenseConformance.largest(plain) * Closeness.rounding(activationType()) / 0x1p-24;
            new Closeness(bench.description(), activationType(), magnitude)
                    .check(Judge.values(exact), plain, bench.values(gate));
        }
    }

    private void check(Workbench bench, Sample x, Weight weight, @Nullable Sample bias, Tensor out) {
        Tensor exact = judge.output(x.extent(0), weight.outputs());
        judge.operations().dense().linear(judge.input(x), weight, bias == null ? null : judge.input(bias), exact);
        float[] numbers = RandomBlocks.decoded(weight);
        float[] plain = PlainDense.linear(x.values(), numbers, bias == null ? null : bias.values(), weight.inputs());
        float[] terms = PlainDense.linear(absolute(x.values()), absolute(numbers), null, weight.inputs());
        new Closeness(bench.description(), out.dtype(), 1 + DenseConformance.largest(terms))
                .check(Judge.values(exact), plain, bench.values(out));
    }

    /// Rows of a fused matrix are views of it.
    @Test
    void multipliesBySlicesAtOnce() {
        for (BlockFormat format : BlockFormat.values()) {
            for (int rows : List.of(1, 5, 17)) {
                try (Workbench bench = workbench("%d rows by slices of %s", rows, format)) {
                    Sample x = bench.normal(activationType(), rows, 512);
                    BlockWeight whole = RandomBlocks.of(bench.random(), format, 23, 512, 64);
                    List<BlockWeight> parts = List.of(whole.slice(0, 7), whole.slice(7, 15), whole.slice(22, 1));
                    List<Tensor> outs = parts.stream()
                            .map(part -> bench.output(activationType(), rows, part.outputs()))
                            .toList();
                    bench.operations()
                            .dense()
                            .linears(
                                    bench.input(x),
                                    parts.stream().map(bench::weight).toList(),
                                    Arrays.asList(null, null, null),
                                    outs);
                    for (int i = 0; i < parts.size(); i++) {
                        check(bench, x, parts.get(i), null, outs.get(i));
                    }
                }
            }
        }
    }

    @Test
    void embedsRowsOfEveryFormat() {
        for (BlockFormat format : BlockFormat.values()) {
            try (Workbench bench = workbench("embed %s", format)) {
                BlockWeight table = RandomBlocks.of(bench.random(), format, 9, 768, 1);
                int[] ids = {8, 0, 3, 3};
                Tensor out = bench.output(activationType(), ids.length, 768);
                bench.operations().dense().embed(bench.ints(ids, ids.length), bench.weight(table), out);
                float[] expected = new float[ids.length * 768];
                for (int i = 0; i < ids.length; i++) {
                    table.decode(ids[i], 0, 768, expected, i * 768);
                }
                Exactly.same(bench.description(), Sample.round(activationType(), expected), bench.values(out));
            }
        }
    }

    @Test
    void embedsRowsOfEveryLayout() {
        for (CodeLayout layout : CodeLayout.values()) {
            try (Workbench bench = workbench("embed %s", layout)) {
                GroupedWeight table = RandomGroups.of(bench.random(), layout, new Groups(24, 256, 1, 128), DType.F32);
                int[] ids = {23, 0, 7, 7};
                Tensor out = bench.output(activationType(), ids.length, 256);
                bench.operations().dense().embed(bench.ints(ids, ids.length), bench.weight(table), out);
                float[] expected = new float[ids.length * 256];
                for (int i = 0; i < ids.length; i++) {
                    table.decode(ids[i], 0, 256, expected, i * 256);
                }
                Exactly.same(bench.description(), Sample.round(activationType(), expected), bench.values(out));
            }
        }
    }

    /// E4M3 has no infinities and two codes of NaN, which a product must not turn into numbers.
    @Test
    void notANumberStaysNotANumber() {
        for (int place : List.of(0, 37, 255)) {
            for (byte code : new byte[] {0x7F, (byte) 0xFF}) {
                try (Workbench bench = workbench("code %d at %d", code, place)) {
                    GroupedWeight weight =
                            RandomGroups.of(bench.random(), CodeLayout.F8E4M3, new Groups(3, 256, 1, 128), DType.F32);
                    weight.codes().segment().set(ValueLayout.JAVA_BYTE, 256 + place, code);
                    Tensor out = bench.output(activationType(), 1, 3);
                    bench.operations()
                            .dense()
                            .linear(
                                    bench.input(bench.normal(activationType(), 1, 256)),
                                    bench.weight(weight),
                                    null,
                                    out);
                    float[] sums = bench.values(out);
                    assertThat(sums[0]).isFinite();
                    assertThat(sums[1]).isNaN();
                    assertThat(sums[2]).isFinite();
                }
            }
        }
    }

    private static float[] absolute(float[] values) {
        float[] result = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            result[i] = Math.abs(values[i]);
        }
        return result;
    }
}
