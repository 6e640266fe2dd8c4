package io.shadowkv.op.conformance;

import io.shadowkv.op.Backend;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.testing.Exactly;
import io.shadowkv.op.testing.IndexedSequence;
import io.shadowkv.op.testing.Placement;
import io.shadowkv.op.testing.Sample;
import io.shadowkv.op.testing.TestCodes;
import io.shadowkv.op.testing.TestMisses;
import io.shadowkv.op.testing.TestRows;
import io.shadowkv.op.testing.Workbench;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Values on their way to the store and back: codes, scales and what they stand for, to the bit.
public abstract class ValueStoreConformance extends BackendConformance {
    private static final List<DType> CODES = List.of(DType.I8, DType.F8E4M3);

    /// The third row is padding, the second has no index.
    private static final int[] SLOTS = {3, 6, -1, 0};

    @Test
    void storesQuantisedValues() {
        for (DType codes : CODES) {
            for (DType type : STORAGE_TYPES) {
                for (int headDim : HEAD_DIMS) {
                    for (Backend.Place place : Backend.Place.values()) {
                        store(codes, type, headDim, place, new int[] {3, 9, 2});
                    }
                }
                store(codes, type, 128, Backend.Place.HOST, new int[] {0, 1, 0});
                store(codes, type, 128, Backend.Place.HOST, new int[] {5, 0, 7});
                store(codes, type, 128, Backend.Place.HOST, new int[] {1, 1031, 4});
            }
        }
    }

    /// @param move first row read, how many, first row written
    private void store(DType codes, DType type, int headDim, Backend.Place place, int[] move) {
        try (Workbench bench = workbench(
                "store %s of %s, head dim %d, at %s, rows %s", codes, type, headDim, place, Arrays.toString(move))) {
            int heads = 3;
            int from = move[0];
            int count = move[1];
            int to = move[2];
            int capacity = to + count + 3;
            Sample source = awkward(bench, type, heads, from + count + 2, headDim);
            byte[] codesBefore = new byte[heads * capacity * headDim];
            for (int i = 0; i < codesBefore.length; i++) {
                codesBefore[i] = (byte) i;
            }
            Sample scalesBefore = bench.normal(DType.BF16, heads, capacity);
            Tensor values = bench.codes(place, codes, codesBefore, heads, capacity, headDim);
            Tensor scales = bench.state(scalesBefore);
            bench.operations().shadow().storeValues(bench.input(source), from, count, values, scales, to);

            byte[] expected = codesBefore.clone();
            float[] expectedScales = scalesBefore.values().clone();
            for (int h = 0; h < heads; h++) {
                for (int i = 0; i < count; i++) {
                    int row = (h * source.extent(1) + from + i) * headDim;
                    int target = h * capacity + to + i;
                    float[] own = Arrays.copyOfRange(source.values(), row, row + headDim);
                    expectedScales[target] = TestCodes.scale(codes, own);
                    byte[] encoded = TestCodes.encode(codes, own, expectedScales[target]);
                    System.arraycopy(encoded, 0, expected, target * headDim, headDim);
                }
            }
            Exactly.same(bench.description() + ", scales", expectedScales, bench.values(scales));
            Exactly.same(bench.description() + ", codes", expected, bench.codeValues(values));
        }
    }

    /// Normal numbers, and rows of zeros, of one number, of very large and very small ones.
    private static Sample awkward(Workbench bench, DType type, int heads, int rows, int headDim) {
        Sample sample = bench.normal(type, heads, rows, headDim);
        float[] values = sample.values();
        for (int row = 0; row < heads * rows; row++) {
            float factor = switch (row % 7) {
                case 1 -> 0;
                case 2 -> 1e-4f;
                case 3 -> 1000;
                case 4 -> type == DType.F16 ? 1e-7f : 1e-30f;
                default -> 1;
            };
            for (int e = 0; e < headDim; e++) {
                boolean isHidden = row % 7 == 5 && e != row % headDim;
                values[row * headDim + e] *= isHidden ? 0 : factor;
            }
        }
        return Sample.of(type, values, heads, rows, headDim);
    }

    @Test
    void storesValuesAsTheyAre() {
        for (DType from : STORAGE_TYPES) {
            for (DType to : STORAGE_TYPES) {
                try (Workbench bench = workbench("store values of %s as %s", from, to)) {
                    Sample source = bench.normal(from, 3, 12, 80);
                    Sample before = bench.normal(to, 3, 15, 80);
                    Tensor target = bench.state(before);
                    bench.operations().shadow().storeValues(bench.input(source), 2, 7, target, null, 6);
                    float[] expected = before.values().clone();
                    float[] rounded = Sample.round(to, source.values());
                    for (int h = 0; h < 3; h++) {
                        System.arraycopy(rounded, (h * 12 + 2) * 80, expected, (h * 15 + 6) * 80, 7 * 80);
                    }
                    Exactly.same(bench.description(), expected, bench.values(target));
                }
            }
        }
    }

    @Test
    void fetchesQuantisedValues() {
        int pair = 0;
        for (DType codes : CODES) {
            for (DType type : STORAGE_TYPES) {
                for (int headDim : HEAD_DIMS) {
                    for (int unitTokens : List.of(1, 8)) {
                        int slots = cycle(List.of(5, 8), pair);
                        Backend.Place place = cycle(List.of(Backend.Place.values()), pair++ / 2);
                        fetch(codes, place, new IndexedSequence.Sizes(type, unitTokens, 2, headDim, 1, 12, 5, slots));
                    }
                }
            }
            fetch(codes, Backend.Place.HOST, new IndexedSequence.Sizes(DType.BF16, 8, 4, 128, 1, 301, 65, 130));
        }
    }

    private void fetch(DType codes, Backend.Place place, IndexedSequence.Sizes sizes) {
        try (Workbench bench = workbench("fetch %s at %s, %s", codes, place, sizes)) {
            var rows = TestRows.indexed(SLOTS, new int[] {sizes.units(), 0, 0, sizes.units()});
            var table = new SlotTable<IndexedLayer>();
            List<TestMisses> misses = new ArrayList<>();
            List<QuantisedStore> stores = new ArrayList<>();
            for (int i = 0; i < SLOTS.length; i++) {
                if (rows.units()[i] > 0) {
                    TestMisses own = TestMisses.of(new IndexedSequence(bench, sizes), i);
                    QuantisedStore store = QuantisedStore.random(bench, codes, place, sizes);
                    misses.add(own);
                    stores.add(store);
                    table.set(SLOTS[i], inExtents(bench, own.sequence().on(bench, own.slots(), store), i));
                }
            }
            bench.operations().shadow().fetchValues(table, rows.on(bench));
            int next = 0;
            for (int i = 0; i < SLOTS.length; i++) {
                if (rows.units()[i] > 0) {
                    float[] stored = Sample.round(sizes.type(), stores.get(next).numbers());
                    float[] expected = misses.get(next++).fetched(stored);
                    Exactly.same(
                            bench.description() + ", slot " + SLOTS[i],
                            expected,
                            bench.values(
                                    table.get(SLOTS[i]).residency().attended().values()));
                }
            }
        }
    }

    /// Values in one extent, or in several of which the first may be empty.
    static IndexedLayer inExtents(Workbench bench, IndexedLayer layer, int number) {
        int unit = layer.unitTokens();
        return switch (number % 3) {
            case 0 -> bench.inExtents(layer, 0, Math.max(7, layer.tokenCapacity() / (32 * unit) + 1) * unit);
            case 1 -> layer;
            default -> bench.inExtents(layer, 5 * unit, Math.ceilDiv(layer.tokenCapacity(), 3 * unit) * unit);
        };
    }

    /// @param codes [heads, tokens, headDim]
    /// @param scales BF16 [heads, tokens]
    private record QuantisedStore(
            Workbench bench, DType type, Backend.Place place, IndexedSequence.Sizes sizes, byte[] codes, Sample scales)
            implements IndexedSequence.Store {
        static QuantisedStore random(Workbench bench, DType type, Backend.Place place, IndexedSequence.Sizes sizes) {
            byte[] codes = new byte[sizes.heads() * sizes.tokens() * sizes.headDim()];
            for (int i = 0; i < codes.length; i++) {
                int code = bench.random().nextInt(256);
                codes[i] = (byte) (Float.isNaN(TestCodes.number(type, (byte) code)) ? 0 : code);
            }
            Sample scales = bench.normal(DType.BF16, sizes.heads(), sizes.tokens());
            scales.values()[0] = 0;
            return new QuantisedStore(bench, type, place, sizes, codes, scales);
        }

        float[] numbers() {
            float[] numbers = new float[codes.length];
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = TestCodes.number(type, codes[i]) * scales.values()[i / sizes.headDim()];
            }
            return numbers;
        }

        @Override
        public Tensor values(Placement side) {
            return bench.codes(place, type, codes, sizes.heads(), sizes.tokens(), sizes.headDim());
        }

        @Override
        public @Nullable Tensor scales(Placement side) {
            return side.input(scales);
        }
    }
}
