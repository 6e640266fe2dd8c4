package io.shadowkv.op.conformance;

import io.shadowkv.op.testing.Closeness;
import io.shadowkv.op.testing.Exactly;
import io.shadowkv.op.testing.Judge;
import io.shadowkv.op.testing.PlainDense;
import io.shadowkv.op.testing.RotaryTable;
import io.shadowkv.op.testing.Sample;
import io.shadowkv.op.testing.Workbench;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What ShadowKV does once at the end of prefill, apart from the eigenvectors.
public abstract class ShadowPrefillConformance extends BackendConformance {
    private final Judge judge = new Judge();

    @Test
    void addsKeysToTheirGram() {
        for (DType type : STORAGE_TYPES) {
            for (int width : List.of(1, 7, 8, 31, 33, 64, 65, 130)) {
                for (int tokens : List.of(1, 7, 8, 9, 33, 100)) {
                    gram(type, tokens, width);
                }
            }
            gram(type, 513, 256);
        }
    }

    private void gram(DType type, int tokens, int width) {
        try (Workbench bench = workbench("gram of %s [%d, %d]", type, tokens, width)) {
            Sample first = bench.normal(type, tokens, width);
            Sample second = bench.normal(type, tokens, width);
            Sample start = Sample.filled(DType.F32, 0.5f, width, width);
            Tensor gram = bench.state(start);
            Tensor exact = judge.state(start);
            float[] plain = start.values().clone();
            for (Sample keys : List.of(first, second)) {
                bench.operations().shadow().accumulateGram(bench.input(keys), gram);
                judge.operations().shadow().accumulateGram(judge.input(keys), exact);
                plainGram(keys.values(), width, plain);
            }
            new Closeness(bench.description(), DType.F32, DenseConformance.largest(plain))
                    .check(Judge.values(exact), plain, bench.values(gram));
        }
    }

    private static void plainGram(float[] keys, int width, float[] gram) {
        for (int t = 0; t < keys.length; t += width) {
            for (int i = 0; i < width; i++) {
                for (int j = 0; j < width; j++) {
                    gram[i * width + j] += keys[t + i] * keys[t + j];
                }
            }
        }
    }

    @Test
    void averagesUnitsAndFindsTheirWorstMember() {
        for (DType type : STORAGE_TYPES) {
            for (int headDim : HEAD_DIMS) {
                landmarks(type, headDim, 8, 3, 0);
                landmarks(type, headDim, 8, 1, 5);
                landmarks(type, headDim, 1, 17, 2);
                landmarks(type, headDim, 5, 2, 1);
                landmarks(type, headDim, 64, 2, 0);
                landmarks(type, headDim, 100, 3, 1);
            }
        }
        landmarks(DType.BF16, 128, 8, 131, 7);
    }

    private void landmarks(DType type, int headDim, int unitTokens, int units, int firstUnit) {
        try (Workbench bench = workbench(
                "landmarks of %s, head dim %d, %d units of %d tokens from unit %d",
                type, headDim, units, unitTokens, firstUnit)) {
            int heads = 2;
            int capacity = (firstUnit + units) * unitTokens + 3;
            Sample keys = bench.normal(type, heads, capacity, headDim);
            for (int h = 0; h < heads; h++) {
                int head = h * capacity * headDim;
                Arrays.fill(keys.values(), head, head + firstUnit * unitTokens * headDim, Float.NaN);
                Arrays.fill(keys.values(), head + (capacity - 3) * headDim, head + capacity * headDim, Float.NaN);
            }
            // A unit of zeros: its cosines are 0 by definition, not a quotient of zeros.
            int zero = firstUnit * unitTokens * headDim;
            Arrays.fill(keys.values(), zero, zero + unitTokens * headDim, 0);
            Tensor landmarks = bench.output(type, heads, units, headDim);
            Tensor cosines = bench.output(DType.F32, heads, units);
            bench.operations().shadow().landmarks(bench.input(keys), firstUnit, unitTokens, landmarks, cosines);
            Tensor exact = judge.output(heads, units, headDim);
            Tensor exactCosines = judge.output(heads, units);
            judge.operations().shadow().landmarks(judge.input(keys), firstUnit, unitTokens, exact, exactCosines);

            float[] means = new float[heads * units * headDim];
            float[] plainCosines = new float[heads * units];
            plainLandmarks(keys, firstUnit, unitTokens, means, plainCosines);
            new Closeness(bench.description() + ", means", type, 5)
                    .check(Judge.values(exact), means, bench.values(landmarks));
            new Closeness(bench.description() + ", cosines", DType.F32, 1)
                    .check(Judge.values(exactCosines), plainCosines, bench.values(cosines));
        }
    }

    private static void plainLandmarks(Sample keys, int firstUnit, int unitTokens, float[] means, float[] cosines) {
        int headDim = keys.extent(2);
        int units = cosines.length / keys.extent(0);
        for (int i = 0; i < cosines.length; i++) {
            int head = i / units * keys.extent(1) * headDim;
            int from = head + (firstUnit + i % units) * unitTokens * headDim;
            for (int at = 0; at < unitTokens * headDim; at++) {
                means[i * headDim + at % headDim] += keys.values()[from + at];
            }
            for (int e = 0; e < headDim; e++) {
                means[i * headDim + e] /= unitTokens;
            }
            cosines[i] = Float.POSITIVE_INFINITY;
            for (int j = 0; j < unitTokens; j++) {
                float cosine = cosine(keys.values(), from + j * headDim, means, i * headDim, headDim);
                cosines[i] = Math.min(cosines[i], cosine);
            }
        }
    }

    private static float cosine(float[] a, int atA, float[] b, int atB, int length) {
        float dot = 0;
        float squaresA = 0;
        float squaresB = 0;
        for (int e = 0; e < length; e++) {
            dot += a[atA + e] * b[atB + e];
            squaresA += a[atA + e] * a[atA + e];
            squaresB += b[atB + e] * b[atB + e];
        }
        float lengths = (float) Math.sqrt(squaresA) * (float) Math.sqrt(squaresB);
        return lengths == 0 ? 0 : dot / lengths;
    }

    @Test
    void splitsOffTheUnitsOfLeastCosine() {
        for (int units : List.of(1, 7, 8, 9, 64, 65, 1009)) {
            for (int count : new int[] {0, 1, units / 3, units}) {
                for (int levels : List.of(4, 1_000_000)) {
                    try (Workbench bench = workbench("%d outliers of %d units, %d levels", count, units, levels)) {
                        split(bench, units, Math.min(count, units), levels);
                    }
                }
            }
        }
    }

    private static void split(Workbench bench, int units, int count, int levels) {
        int heads = 3;
        float[] cosines = new float[heads * units];
        for (int i = 0; i < cosines.length; i++) {
            cosines[i] = bench.random().nextInt(-levels, levels) / (float) levels;
        }
        Tensor outliers = bench.intOutput(heads, count);
        Tensor others = bench.intOutput(heads, units - count);
        Tensor source = bench.input(Sample.of(DType.F32, cosines, heads, units));
        bench.operations().shadow().splitOutliers(source, outliers, others);

        int[] expectedOutliers = new int[heads * count];
        int[] expectedOthers = new int[heads * (units - count)];
        for (int h = 0; h < heads; h++) {
            int[] sorted = leastFirst(Arrays.copyOfRange(cosines, h * units, (h + 1) * units));
            Arrays.sort(sorted, 0, count);
            Arrays.sort(sorted, count, units);
            System.arraycopy(sorted, 0, expectedOutliers, h * count, count);
            System.arraycopy(sorted, count, expectedOthers, h * (units - count), units - count);
        }
        Exactly.same(bench.description() + ", outliers", expectedOutliers, bench.intValues(outliers));
        Exactly.same(bench.description() + ", others", expectedOthers, bench.intValues(others));
    }

    /// Insertion sort: stable, so that ties stay in ascending order, and unlike the judge's.
    private static int[] leastFirst(float[] values) {
        int[] order = new int[values.length];
        for (int i = 0; i < order.length; i++) {
            int at = i;
            for (; at > 0 && values[order[at - 1]] > values[i]; at--) {
                order[at] = order[at - 1];
            }
            order[at] = i;
        }
        return order;
    }

    @Test
    void gathersWholeUnits() {
        for (DType from : STORAGE_TYPES) {
            for (DType to : STORAGE_TYPES) {
                for (int headDim : HEAD_DIMS) {
                    for (int unitTokens : List.of(1, 8)) {
                        try (Workbench bench = workbench(
                                "gather units of %d tokens, head dim %d, from %s to %s",
                                unitTokens, headDim, from, to)) {
                            gather(bench, bench.normal(from, 2, 9 * unitTokens + 2, headDim), unitTokens, to);
                        }
                    }
                }
            }
        }
    }

    private static void gather(Workbench bench, Sample source, int unitTokens, DType to) {
        int[] units = {0, 3, 8, 8, 2, 5};
        int perHead = units.length / 2;
        int targetRow = 4;
        int headDim = source.extent(2);
        Sample before = bench.normal(to, 2, targetRow + perHead * unitTokens + 5, headDim);
        Tensor target = bench.state(before);
        bench.operations()
                .shadow()
                .gatherUnits(bench.input(source), bench.ints(units, 2, perHead), unitTokens, target, targetRow);

        float[] expected = before.values().clone();
        for (int i = 0; i < units.length; i++) {
            int head = i / perHead;
            int fromRow = head * source.extent(1) + units[i] * unitTokens;
            int toRow = head * before.extent(1) + targetRow + i % perHead * unitTokens;
            float[] rounded = Sample.round(
                    to, Arrays.copyOfRange(source.values(), fromRow * headDim, (fromRow + unitTokens) * headDim));
            System.arraycopy(rounded, 0, expected, toRow * headDim, rounded.length);
        }
        Exactly.same(bench.description(), expected, bench.values(target));
    }

    @Test
    void copiesRowsBetweenTensors() {
        for (DType from : STORAGE_TYPES) {
            for (DType to : STORAGE_TYPES) {
                for (int headDim : HEAD_DIMS) {
                    try (Workbench bench = workbench("copy rows of %d from %s to %s", headDim, from, to)) {
                        Sample source = bench.normal(from, 3, 10, headDim);
                        Sample before = bench.normal(to, 3, 15, headDim);
                        Tensor target = bench.state(before);
                        bench.operations().shadow().copyRows(bench.input(source), 2, 7, target, 6);
                        Exactly.same(bench.description(), moved(source, 2, 7, before, 6), bench.values(target));
                    }
                }
            }
        }
    }

    @Test
    void movesRowsDownWithinATensor() {
        for (DType type : STORAGE_TYPES) {
            for (int[] move : new int[][] {{9, 20, 1}, {1, 30, 0}, {5, 20, 5}, {25, 8, 3}, {4, 0, 2}}) {
                try (Workbench bench = workbench("move rows of %s, %s", type, Arrays.toString(move))) {
                    Sample before = bench.normal(type, 3, 33, 10);
                    Tensor rows = bench.state(before);
                    bench.operations().shadow().copyRows(rows, move[0], move[1], rows, move[2]);
                    float[] expected = moved(before, move[0], move[1], before, move[2]);
                    Exactly.same(bench.description(), expected, bench.values(rows));
                }
            }
        }
    }

    private static float[] moved(Sample source, int from, int count, Sample target, int to) {
        int headDim = source.extent(2);
        float[] rounded = Sample.round(target.dtype(), source.values());
        float[] expected = target.values().clone();
        for (int h = 0; h < source.extent(0); h++) {
            int fromRow = h * source.extent(1) + from;
            int toRow = h * target.extent(1) + to;
            System.arraycopy(rounded, fromRow * headDim, expected, toRow * headDim, count * headDim);
        }
        return expected;
    }

    @Test
    void takesStoredKeysBackToBeforeRotation() {
        for (int headDim : HEAD_DIMS) {
            for (int rotaryDim : List.of(headDim, headDim / 4 * 2)) {
                for (boolean interleaved : new boolean[] {false, true}) {
                    for (double scaling : new double[] {1, 1.19}) {
                        unrotate(headDim, RotaryTable.of(40, rotaryDim, interleaved, scaling));
                    }
                }
            }
        }
    }

    /// Law: unrotate of what rotate and store made is where they began; and against the judge, in each storage
    /// type.
    private void unrotate(int headDim, RotaryTable table) {
        for (DType type : STORAGE_TYPES) {
            try (Workbench bench = workbench(
                    "unrotate %s, %d of %d, interleaved %s, scaling %s",
                    type, table.rotaryDim(), headDim, table.interleaved(), table.scaling())) {
                int heads = 3;
                int count = 9;
                int from = 2;
                int firstPosition = 30;
                Sample start = bench.normal(bench.activationType(), count, heads, headDim);
                Tensor rotated = bench.state(start);
                int[] positions = java.util.stream.IntStream.range(firstPosition, firstPosition + count)
                        .toArray();
                bench.operations().dense().rotate(rotated, bench.ints(positions, count), bench.rotary(table));
                Tensor keys = bench.state(Sample.filled(type, Float.NaN, heads, from + count + 1, headDim));
                bench.operations().attention().store(rotated, keys, from);
                Tensor plain = bench.output(bench.activationType(), count, heads * headDim);
                bench.operations().shadow().unrotate(keys, from, count, firstPosition, bench.rotary(table), plain);
                double[] origin = new double[start.values().length];
                Arrays.setAll(origin, i -> start.values()[i]);
                Sample stored = new Sample(type, bench.values(keys), heads, from + count + 1, headDim);
                float[] loop = plainUnrotate(stored, from, firstPosition, count, table);
                closenessToOrigin(bench, type, origin, bench.values(plain));
                Tensor exact = judge.output(count, heads * headDim);
                judge.operations()
                        .shadow()
                        .unrotate(judge.input(stored), from, count, firstPosition, judge.rotary(table), exact);
                new Closeness(bench.description(), bench.activationType(), 10)
                        .check(Judge.values(exact), loop, bench.values(plain));
            }
        }
    }

    private static void closenessToOrigin(Workbench bench, DType type, double[] origin, float[] actual) {
        double rounding = Closeness.rounding(type) + 8 * Closeness.rounding(bench.activationType());
        for (int i = 0; i < origin.length; i++) {
            // A pair of numbers below 6 or so, each rounded once; turning back adds up to both errors.
            double error = Math.abs(actual[i] - origin[i]);
            org.assertj.core.api.Assertions.assertThat(error <= 2 * 6 * rounding)
                    .as("%s: element %d is %s, was %s before rotation", bench.description(), i, actual[i], origin[i])
                    .isTrue();
        }
    }

    private static float[] plainUnrotate(Sample keys, int from, int firstPosition, int count, RotaryTable table) {
        int heads = keys.extent(0);
        int headDim = keys.extent(2);
        float[] plain = new float[count * heads * headDim];
        for (int i = 0; i < count; i++) {
            for (int h = 0; h < heads; h++) {
                int at = (i * heads + h) * headDim;
                System.arraycopy(keys.values(), (h * keys.extent(1) + from + i) * headDim, plain, at, headDim);
                PlainDense.rotateHead(plain, at, firstPosition + i, table, -1);
            }
        }
        return plain;
    }
}
