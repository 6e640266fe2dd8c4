package io.shadowkv.op.conformance;

import io.shadowkv.op.Backend;
import io.shadowkv.op.testing.Closeness;
import io.shadowkv.op.testing.Exactly;
import io.shadowkv.op.testing.Judge;
import io.shadowkv.op.testing.PlainDense;
import io.shadowkv.op.testing.RotaryTable;
import io.shadowkv.op.testing.Sample;
import io.shadowkv.op.testing.TestCodes;
import io.shadowkv.op.testing.Workbench;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The keys and values of a whole context, restored from the index for the rows of a further turn.
public abstract class RestoreConformance extends BackendConformance {
    private final Judge judge = new Judge();

    @Test
    void scattersWholeUnits() {
        for (DType from : STORAGE_TYPES) {
            for (DType to : STORAGE_TYPES) {
                for (int headDim : HEAD_DIMS) {
                    for (int unitTokens : List.of(1, 8)) {
                        scatter(from, to, headDim, unitTokens);
                    }
                }
            }
        }
    }

    private void scatter(DType from, DType to, int headDim, int unitTokens) {
        try (Workbench bench =
                workbench("scatter units of %d tokens, head dim %d, from %s to %s", unitTokens, headDim, from, to)) {
            int[] units = {0, 3, 8, 7, 2, 5};
            int perHead = units.length / 2;
            int sourceRow = 4;
            Sample source = bench.normal(from, 2, sourceRow + perHead * unitTokens + 1, headDim);
            Sample before = bench.normal(to, 2, 9 * unitTokens + 2, headDim);
            Tensor target = bench.state(before);
            bench.operations()
                    .shadow()
                    .scatterUnits(bench.input(source), sourceRow, bench.ints(units, 2, perHead), unitTokens, target);

            float[] expected = before.values().clone();
            float[] rounded = Sample.round(to, source.values());
            for (int i = 0; i < units.length; i++) {
                int head = i / perHead;
                int fromRow = head * source.extent(1) + sourceRow + i % perHead * unitTokens;
                int toRow = head * before.extent(1) + units[i] * unitTokens;
                System.arraycopy(rounded, fromRow * headDim, expected, toRow * headDim, unitTokens * headDim);
            }
            Exactly.same(bench.description(), expected, bench.values(target));
        }
    }

    @Test
    void restoresQuantisedValues() {
        for (DType codes : List.of(DType.I8, DType.F8E4M3)) {
            for (DType type : STORAGE_TYPES) {
                for (int headDim : HEAD_DIMS) {
                    for (Backend.Place place : Backend.Place.values()) {
                        restore(codes, type, headDim, place, 9);
                    }
                }
                restore(codes, type, 128, Backend.Place.HOST, 0);
                restore(codes, type, 128, Backend.Place.HOST, 1031);
            }
        }
    }

    private void restore(DType codes, DType type, int headDim, Backend.Place place, int count) {
        try (Workbench bench =
                workbench("restore %d rows of %s as %s, head dim %d, at %s", count, codes, type, headDim, place)) {
            int heads = 3;
            int capacity = count + 4;
            Sample origin = bench.normal(type, heads, capacity, headDim);
            byte[] encoded = new byte[heads * capacity * headDim];
            float[] scales = new float[heads * capacity];
            for (int row = 0; row < scales.length; row++) {
                float[] own = Arrays.copyOfRange(origin.values(), row * headDim, (row + 1) * headDim);
                scales[row] = TestCodes.scale(codes, own);
                System.arraycopy(TestCodes.encode(codes, own, scales[row]), 0, encoded, row * headDim, headDim);
            }
            Sample before = bench.normal(type, heads, count + 2, headDim);
            Tensor target = bench.state(before);
            Tensor stored = bench.codes(place, codes, encoded, heads, capacity, headDim);
            Tensor storedScales = bench.input(Sample.of(DType.BF16, scales, heads, capacity));
            bench.operations().shadow().restoreValues(stored, storedScales, count, target, 1);

            float[] expected = before.values().clone();
            for (int h = 0; h < heads; h++) {
                for (int i = 0; i < count * headDim; i++) {
                    int at = h * capacity * headDim + i;
                    float value = TestCodes.number(codes, encoded[at]) * scales[at / headDim];
                    expected[(h * before.extent(1) + 1) * headDim + i] = Sample.round(type, new float[] {value})[0];
                }
            }
            Exactly.same(bench.description(), expected, bench.values(target));
        }
    }

    @Test
    void restoresValuesThatAreStoredAsTheyAre() {
        for (DType from : STORAGE_TYPES) {
            for (DType to : STORAGE_TYPES) {
                for (Backend.Place place : Backend.Place.values()) {
                    try (Workbench bench = workbench("restore values of %s as %s, at %s", from, to, place)) {
                        Sample source = bench.normal(from, 3, 12, 80);
                        Sample before = bench.normal(to, 3, 9, 80);
                        Tensor target = bench.state(before);
                        bench.operations().shadow().restoreValues(bench.input(place, source), null, 7, target, 2);
                        float[] expected = before.values().clone();
                        float[] rounded = Sample.round(to, source.values());
                        for (int h = 0; h < 3; h++) {
                            System.arraycopy(rounded, h * 12 * 80, expected, (h * 9 + 2) * 80, 7 * 80);
                        }
                        Exactly.same(bench.description(), expected, bench.values(target));
                    }
                }
            }
        }
    }

    @Test
    void restoresKeysFromTheirLowRankForm() {
        int pair = 0;
        for (DType type : STORAGE_TYPES) {
            for (int headDim : HEAD_DIMS) {
                for (int rotaryDim : List.of(headDim, headDim / 4 * 2)) {
                    int rank = cycle(List.of(1, 16, 33, 160), pair);
                    double scaling = pair % 4 == 0 ? 1.19 : 1;
                    keys(type, headDim, rank, 19, RotaryTable.of(40, rotaryDim, pair++ % 2 == 0, scaling));
                }
            }
            keys(type, 128, 160, 1031, RotaryTable.of(1040, 128, false, 1));
            keys(type, 128, 160, 0, RotaryTable.of(40, 128, false, 1));
        }
    }

    private void keys(DType type, int headDim, int rank, int count, RotaryTable table) {
        int heads = 2;
        try (Workbench bench = workbench(
                "restore %d keys of %s, head dim %d, rank %d, rotating %d",
                count, type, headDim, rank, table.rotaryDim())) {
            Sample factor = bench.normal(type, count + 3, rank);
            Sample basis = bench.normal(type, rank, heads * headDim);
            Sample before = bench.normal(type, heads, count + 2, headDim);
            Tensor keys = bench.state(before);
            bench.operations()
                    .shadow()
                    .restoreKeys(bench.input(factor), bench.input(basis), count, bench.rotary(table), keys);
            Tensor exact = judge.state(before);
            judge.operations()
                    .shadow()
                    .restoreKeys(judge.input(factor), judge.input(basis), count, judge.rotary(table), exact);
            new Closeness(bench.description(), type, 2 + 5 * rank)
                    .check(Judge.values(exact), plainKeys(factor, basis, before, count, table), bench.values(keys));
        }
    }

    private static float[] plainKeys(Sample factor, Sample basis, Sample before, int count, RotaryTable table) {
        int rank = factor.extent(1);
        int headDim = before.extent(2);
        int width = basis.extent(1);
        float[] keys = before.values().clone();
        for (int h = 0; h < before.extent(0); h++) {
            for (int t = 0; t < count; t++) {
                int at = (h * before.extent(1) + t) * headDim;
                for (int e = 0; e < headDim; e++) {
                    float sum = 0;
                    for (int r = 0; r < rank; r++) {
                        sum += factor.values()[t * rank + r] * basis.values()[r * width + h * headDim + e];
                    }
                    keys[at + e] = sum;
                }
                PlainDense.rotateHead(keys, at, t, table, 1);
            }
        }
        return keys;
    }
}
