package io.shadowkv.op.conformance;

import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.testing.Closeness;
import io.shadowkv.op.testing.Exactly;
import io.shadowkv.op.testing.Judge;
import io.shadowkv.op.testing.Placement;
import io.shadowkv.op.testing.PlainAttention;
import io.shadowkv.op.testing.Sample;
import io.shadowkv.op.testing.TestRows;
import io.shadowkv.op.testing.Workbench;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Exact attention, and the placing of keys and values for it.
public abstract class AttentionConformance extends BackendConformance {
    /// Prompt tokens and all keys: whole prompts, later chunks of a prompt, single tokens; around tiles of 8 to
    /// 64.
    private static final List<int[]> PREFILLS = List.of(
            new int[] {1, 1},
            new int[] {7, 7},
            new int[] {8, 8},
            new int[] {9, 9},
            new int[] {1, 31},
            new int[] {32, 32},
            new int[] {5, 64},
            new int[] {33, 65},
            new int[] {15, 130},
            new int[] {17, 63});

    private final Judge judge = new Judge();

    @Test
    void storesTokenMajorRowsHeadMajor() {
        for (DType type : STORAGE_TYPES) {
            for (int headDim : HEAD_DIMS) {
                for (int heads : List.of(1, 3, 8)) {
                    try (Workbench bench = workbench("store %d heads of %d as %s", heads, headDim, type)) {
                        store(bench, heads, headDim, type);
                    }
                }
            }
        }
    }

    private static void store(Workbench bench, int heads, int headDim, DType type) {
        int tokens = 5;
        int capacity = 11;
        int at = 4;
        Sample rows = bench.normal(bench.activationType(), tokens, heads, headDim);
        Sample before = bench.normal(type, heads, capacity, headDim);
        Tensor target = bench.state(before);
        bench.operations().attention().store(bench.input(rows), target, at);

        float[] expected = before.values().clone();
        float[] rounded = Sample.round(type, rows.values());
        for (int i = 0; i < tokens; i++) {
            for (int h = 0; h < heads; h++) {
                System.arraycopy(
                        rounded, (i * heads + h) * headDim, expected, (h * capacity + at + i) * headDim, headDim);
            }
        }
        Exactly.same(bench.description(), expected, bench.values(target));
    }

    @Test
    void readsAllEarlierKeysInPrefill() {
        int pair = 0;
        for (int headDim : HEAD_DIMS) {
            for (DType type : STORAGE_TYPES) {
                for (int groupSize : GROUP_SIZES) {
                    int[] sizes = cycle(PREFILLS, pair++);
                    prefill(type, headDim, groupSize, sizes, 1);
                }
            }
        }
        for (int[] sizes : PREFILLS) {
            prefill(DType.BF16, 64, 4, sizes, 1);
        }
    }

    @Test
    void survivesLargeScoresInPrefill() {
        prefill(DType.F32, 64, 4, new int[] {9, 40}, 300);
        prefill(DType.BF16, 80, 1, new int[] {9, 40}, 300);
    }

    @Test
    void readsManyKeysInPrefill() {
        prefill(DType.BF16, 64, 4, new int[] {131, 1031}, 1);
        // Few rows, of groups that fill a tile together and of others, whose last keys end a tile or begin one.
        prefill(DType.BF16, 128, 4, new int[] {64, 1300}, 1);
        prefill(DType.F16, 64, 8, new int[] {35, 1061}, 1);
        prefill(DType.BF16, 256, 2, new int[] {1, 1025}, 1);
        prefill(DType.BF16, 64, 7, new int[] {40, 1152}, 1);
    }

    private void prefill(DType type, int headDim, int groupSize, int[] sizes, float sharpness) {
        try (Workbench bench = workbench(
                "prefill %s, head dim %d, group %d, %d of %d tokens, scores times %s",
                type, headDim, groupSize, sizes[0], sizes[1], sharpness)) {
            int heads = 2;
            Sample queries = bench.normal(bench.activationType(), sizes[0], heads * groupSize, headDim);
            Sample keys = region(bench, type, heads, sizes[1], headDim);
            Sample values = region(bench, type, heads, sizes[1], headDim);
            double scale = sharpness / Math.sqrt(headDim);
            Tensor out = bench.output(bench.activationType(), queries.extents());
            bench.operations()
                    .attention()
                    .prefill(bench.input(queries), bench.input(keys), bench.input(values), sizes[1], scale, out);
            Tensor exact = judge.output(queries.extents());
            judge.operations()
                    .attention()
                    .prefill(judge.input(queries), judge.input(keys), judge.input(values), sizes[1], scale, exact);

            float[] plain = new float[queries.values().length];
            for (int i = 0; i < sizes[0]; i++) {
                plainRow(queries, i, new Region(keys, values), sizes[1] - sizes[0] + i + 1, (float) scale, plain);
            }
            closeness(bench, sharpness).check(Judge.values(exact), plain, bench.values(out));
        }
    }

    @Test
    void appendsEachRowToItsOwnSequence() {
        for (DType type : STORAGE_TYPES) {
            for (int headDim : HEAD_DIMS) {
                try (Workbench bench = workbench("append %s, head dim %d", type, headDim)) {
                    append(bench, type, headDim);
                }
            }
        }
    }

    private static void append(Workbench bench, DType type, int headDim) {
        int heads = 3;
        int[] slots = {4, -1, 0, 2};
        int[] capacities = {5, 0, 9, 17};
        int[] attended = {1, 0, 9, 12};
        var rows = TestRows.attending(slots, attended);
        var table = new SlotTable<AttendedRows>();
        Sample[] before = new Sample[slots.length];
        for (int i = 0; i < slots.length; i++) {
            before[i] = bench.normal(type, heads, capacities[i], headDim);
            if (slots[i] >= 0) {
                table.set(slots[i], new AttendedRows(bench.state(before[i]), bench.state(before[i])));
            }
        }
        Sample keys = bench.normal(bench.activationType(), slots.length, heads, headDim);
        Sample values = bench.normal(bench.activationType(), slots.length, heads, headDim);
        bench.operations().attention().append(bench.input(keys), bench.input(values), table, rows.on(bench));

        for (int i = 0; i < slots.length; i++) {
            if (slots[i] < 0) {
                continue;
            }
            AttendedRows region = table.get(slots[i]);
            String what = bench.description() + ", slot " + slots[i];
            Exactly.same(what, appended(keys, i, before[i], attended[i] - 1), bench.values(region.keys()));
            Exactly.same(what, appended(values, i, before[i], attended[i] - 1), bench.values(region.values()));
        }
    }

    private static float[] appended(Sample rows, int i, Sample before, int at) {
        int heads = rows.extent(1);
        int headDim = rows.extent(2);
        float[] expected = before.values().clone();
        float[] rounded = Sample.round(before.dtype(), rows.values());
        for (int h = 0; h < heads; h++) {
            int target = (h * before.extent(1) + at) * headDim;
            System.arraycopy(rounded, (i * heads + h) * headDim, expected, target, headDim);
        }
        return expected;
    }

    @Test
    void decodesRowsOfDifferentLengths() {
        for (int headDim : HEAD_DIMS) {
            for (DType type : STORAGE_TYPES) {
                for (int groupSize : GROUP_SIZES) {
                    decode(type, headDim, groupSize, new int[] {1, 65, 0, 8, 31, 0}, 1);
                }
            }
        }
    }

    @Test
    void decodesOverTileEdges() {
        decode(DType.BF16, 128, 4, new int[] {7, 9, 15, 16, 17, 32, 33, 63, 64, 127, 129}, 1);
        decode(DType.F16, 64, 7, new int[] {2, 255, 256, 257}, 1);
    }

    @Test
    void decodesOverManyRows() {
        decode(DType.BF16, 128, 4, new int[] {4099, 3}, 1);
        decode(DType.F16, 80, 1, new int[] {5, 2053}, 1);
    }

    @Test
    void survivesLargeScoresInDecode() {
        decode(DType.F32, 64, 4, new int[] {40, 9}, 300);
        decode(DType.BF16, 80, 7, new int[] {40, 9}, 300);
    }

    /// @param attended rows of each sequence; 0 for a padding row
    private void decode(DType type, int headDim, int groupSize, int[] attended, float sharpness) {
        try (Workbench bench = workbench(
                "decode %s, head dim %d, group %d, over %s rows, scores times %s",
                type, headDim, groupSize, Arrays.toString(attended), sharpness)) {
            int heads = 2;
            int count = attended.length;
            int[] slots = new int[count];
            Sample[] keys = new Sample[count];
            Sample[] values = new Sample[count];
            for (int i = 0; i < count; i++) {
                slots[i] = attended[i] == 0 ? -1 : 2 * (count - i) - i % 2;
                keys[i] = region(bench, type, heads, attended[i], headDim);
                values[i] = region(bench, type, heads, attended[i], headDim);
            }
            Sample queries = bench.normal(bench.activationType(), count, heads * groupSize, headDim);
            var rows = TestRows.attending(slots, attended);
            double scale = sharpness / Math.sqrt(headDim);
            Tensor out = bench.output(bench.activationType(), queries.extents());
            bench.operations()
                    .attention()
                    .decode(bench.input(queries), table(bench, slots, keys, values), rows.on(bench), scale, out);
            Tensor exact = judge.output(queries.extents());
            judge.operations()
                    .attention()
                    .decode(judge.input(queries), table(judge, slots, keys, values), rows.on(judge), scale, exact);

            float[] plain = new float[queries.values().length];
            for (int i = 0; i < count; i++) {
                plainRow(queries, i, new Region(keys[i], values[i]), attended[i], (float) scale, plain);
            }
            double[] wanted = Judge.values(exact);
            float[] actual = bench.values(out);
            rows.hidePadding(wanted);
            rows.hidePadding(plain);
            rows.hidePadding(actual);
            closeness(bench, sharpness).check(wanted, plain, actual);
        }
    }

    private static SlotTable<AttendedRows> table(Placement side, int[] slots, Sample[] keys, Sample[] values) {
        var table = new SlotTable<AttendedRows>();
        for (int i = 0; i < slots.length; i++) {
            if (slots[i] >= 0) {
                table.set(slots[i], new AttendedRows(side.input(keys[i]), side.input(values[i])));
            }
        }
        return table;
    }

    /// Keys or values with rows of NaN after the valid rows; reading them makes the result NaN.
    private static Sample region(Workbench bench, DType type, int heads, int valid, int headDim) {
        int capacity = valid + 3;
        Sample region = bench.normal(type, heads, capacity, headDim);
        for (int h = 0; h < heads; h++) {
            Arrays.fill(region.values(), (h * capacity + valid) * headDim, (h + 1) * capacity * headDim, Float.NaN);
        }
        return region;
    }

    private static void plainRow(Sample queries, int i, Region region, int count, float scale, float[] out) {
        int queryHeads = queries.extent(1);
        int headDim = queries.extent(2);
        for (int q = 0; q < queryHeads; q++) {
            int at = (i * queryHeads + q) * headDim;
            float[] query = Arrays.copyOfRange(queries.values(), at, at + headDim);
            int head = q / (queryHeads / region.keys().extent(0));
            float[] sum = PlainAttention.attend(query, region.keys(), region.values(), head, count, scale);
            System.arraycopy(sum, 0, out, at, headDim);
        }
    }

    private record Region(Sample keys, Sample values) {}

    /// Values are below 5 or so, and a rounding of a score moves its weight by that rounding times the score.
    static Closeness closeness(Workbench bench, double sharpness) {
        return new Closeness(bench.description(), bench.activationType(), 5 * (1 + 4 * sharpness));
    }
}
