package io.shadowkv.op.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.op.AttentionOperations.SelectedKeys;
import io.shadowkv.op.testing.Closeness;
import io.shadowkv.op.testing.Judge;
import io.shadowkv.op.testing.Placement;
import io.shadowkv.op.testing.Sample;
import io.shadowkv.op.testing.Workbench;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Prefill attention to selected keys, and the selection of key blocks by scores.
public abstract class SparsePrefillConformance extends BackendConformance {
    /// First row, number of rows and block size: whole prompts, slices that begin and end inside blocks, blocks
    /// below, at and above tiles of 64 keys.
    private static final List<int[]> SIZES = List.of(
            new int[] {0, 1, 16},
            new int[] {0, 64, 16},
            new int[] {0, 97, 64},
            new int[] {128, 33, 128},
            new int[] {37, 50, 16},
            new int[] {192, 7, 64},
            new int[] {70, 70, 128});

    private final Judge judge = new Judge();

    /// What the lists of a case hold in addition to key blocks.
    private record Extras(boolean perQueryHead, boolean columns, boolean band, boolean means) {}

    @Test
    void readsTheSelectedKeys() {
        List<Extras> extras = List.of(
                new Extras(false, false, false, false),
                new Extras(true, true, false, false),
                new Extras(false, false, false, true),
                new Extras(true, true, true, false),
                new Extras(true, false, false, true));
        int pair = 0;
        for (int headDim : HEAD_DIMS) {
            for (DType type : STORAGE_TYPES) {
                for (int groupSize : GROUP_SIZES) {
                    attend(type, headDim, groupSize, cycle(SIZES, pair), cycle(extras, pair++));
                }
            }
        }
    }

    /// Lists of key blocks alone, of the sizes that kernels for tensor cores have.
    @Test
    void readsTheSelectedBlocks() {
        for (int[] sizes : List.of(
                new int[] {0, 128, 128},
                new int[] {0, 700, 128},
                new int[] {1000, 300, 128},
                new int[] {1281, 129, 128},
                new int[] {500, 140, 64})) {
            for (int headDim : List.of(64, 80, 128, 256)) {
                boolean isWide = headDim == 128;
                attend(DType.BF16, headDim, isWide ? 4 : 1, sizes, new Extras(isWide, false, false, false));
                if (isWide) {
                    attend(DType.BF16, headDim, 4, sizes, new Extras(false, false, false, false));
                }
            }
        }
    }

    private void attend(DType type, int headDim, int groupSize, int[] sizes, Extras extras) {
        try (Workbench bench = workbench(
                "selected prefill %s, head dim %d, group %d, %d rows from %d, blocks of %d, %s",
                type, headDim, groupSize, sizes[1], sizes[0], sizes[2], extras)) {
            int kvHeads = 2;
            int keyCount = sizes[0] + sizes[1];
            Sample queries = bench.normal(bench.activationType(), sizes[1], kvHeads * groupSize, headDim);
            Sample keys = region(bench, type, kvHeads, keyCount, headDim);
            Sample values = region(bench, type, kvHeads, keyCount, headDim);
            int grid = keyCount / sizes[2] + 1;
            Sample meanKeys = bench.normal(DType.F32, kvHeads, grid, headDim);
            Sample meanValues = bench.normal(DType.F32, kvHeads, grid, headDim);
            var lists = new Lists(kvHeads * (extras.perQueryHead ? groupSize : 1), sizes, extras, bench.random());
            double scale = 1 / Math.sqrt(headDim);

            Tensor out = bench.output(bench.activationType(), queries.extents());
            bench.operations()
                    .attention()
                    .prefillSelected(
                            bench.input(queries),
                            bench.input(keys),
                            bench.input(values),
                            sizes[0],
                            lists.on(bench, meanKeys, meanValues),
                            scale,
                            out);
            Tensor exact = judge.output(queries.extents());
            judge.operations()
                    .attention()
                    .prefillSelected(
                            judge.input(queries),
                            judge.input(keys),
                            judge.input(values),
                            sizes[0],
                            lists.on(judge, meanKeys, meanValues),
                            scale,
                            exact);
            float[] plain = new float[queries.values().length];
            for (int i = 0; i < sizes[1]; i++) {
                for (int q = 0; q < queries.extent(1); q++) {
                    int at = (i * queries.extent(1) + q) * headDim;
                    float[] query = Arrays.copyOfRange(queries.values(), at, at + headDim);
                    int kvHead = q / groupSize;
                    var rows = new PlainRows(query, (float) scale);
                    int list = q / (queries.extent(1) / lists.heads);
                    lists.keysOf(list, sizes[0] + i).forEach(j -> rows.add(keys, values, kvHead, j, 1));
                    lists.droppedBlocks(list, sizes[0] + i)
                            .forEach(j -> rows.add(meanKeys, meanValues, kvHead, j, sizes[2]));
                    System.arraycopy(rows.attend(), 0, plain, at, headDim);
                }
            }
            AttentionConformance.closeness(bench, 1).check(Judge.values(exact), plain, bench.values(out));
        }
    }

    @Test
    void readingAllBlocksIsExactPrefill() {
        for (int[] sizes : List.of(new int[] {0, 131, 64}, new int[] {70, 129, 128})) {
            try (Workbench bench = workbench("all blocks, %d rows from %d", sizes[1], sizes[0])) {
                int keyCount = sizes[0] + sizes[1];
                Tensor queries = bench.input(bench.normal(bench.activationType(), sizes[1], 4, 64));
                Tensor keys = bench.input(region(bench, DType.BF16, 2, keyCount, 64));
                Tensor values = bench.input(region(bench, DType.BF16, 2, keyCount, 64));
                Tensor exact = bench.output(bench.activationType(), sizes[1], 4, 64);
                bench.operations().attention().prefill(queries, keys, values, keyCount, 0.125, exact);
                Tensor out = bench.output(bench.activationType(), sizes[1], 4, 64);
                Lists all = Lists.all(2, sizes);
                Sample none = bench.normal(DType.F32, 2, 1, 64);
                bench.operations()
                        .attention()
                        .prefillSelected(queries, keys, values, sizes[0], all.on(bench, none, none), 0.125, out);
                float[] expected = bench.values(exact);
                double rounding = Closeness.rounding(bench.activationType());
                float[] actual = bench.values(out);
                for (int i = 0; i < expected.length; i++) {
                    assertThat(Math.abs(actual[i] - expected[i]) <= 8 * rounding)
                            .as("%s: element %d is %s, exactly %s", bench.description(), i, actual[i], expected[i])
                            .isTrue();
                }
            }
        }
    }

    @Test
    void scoresBlocksByTheirMeans() {
        int pair = 0;
        for (int headDim : HEAD_DIMS) {
            for (int groupSize : GROUP_SIZES) {
                score(headDim, groupSize, cycle(SIZES, pair++), 1);
            }
        }
        score(64, 2, new int[] {400, 100, 16}, 30);
        score(128, 4, new int[] {1500, 150, 8}, 1);
        // One and several tiles of 128 key blocks of 128 tokens; one and two rounds of four heads.
        score(128, 4, new int[] {33_000, 140, 128}, 1);
        score(64, 7, new int[] {20_000, 129, 128}, 1);
        score(128, 8, new int[] {0, 300, 128}, 1);
        score(128, 1, new int[] {16_256, 256, 128}, 30);
    }

    private void score(int headDim, int groupSize, int[] sizes, float sharpness) {
        try (Workbench bench = workbench(
                "block scores, head dim %d, group %d, %d rows from %d, blocks of %d, scores times %s",
                headDim, groupSize, sizes[1], sizes[0], sizes[2], sharpness)) {
            int kvHeads = 2;
            int firstBlock = sizes[0] / sizes[2];
            int queryBlocks = (sizes[0] + sizes[1] - 1) / sizes[2] - firstBlock + 1;
            int blocks = firstBlock + queryBlocks;
            Sample queries = bench.normal(bench.activationType(), sizes[1], kvHeads * groupSize, headDim);
            Sample means = region(bench, DType.F32, kvHeads, blocks, headDim);
            double scale = sharpness / Math.sqrt(headDim);
            Tensor scores = bench.output(DType.F32, kvHeads, queryBlocks, blocks + 2);
            bench.operations()
                    .attention()
                    .scoreBlocks(bench.input(queries), bench.input(means), sizes[2], sizes[0], scale, scores);
            Tensor exact = judge.output(kvHeads, queryBlocks, blocks + 2);
            judge.operations()
                    .attention()
                    .scoreBlocks(judge.input(queries), judge.input(means), sizes[2], sizes[0], scale, exact);
            double[] expected = Judge.values(exact);
            float[] actual = bench.values(scores);
            // Means may be rounded to the queries' type.
            double rounding =
                    bench.activationType() == DType.F32 ? 1e-5 : 4 * Closeness.rounding(bench.activationType());
            for (int i = 0; i < expected.length; i++) {
                boolean isWritten = i % (blocks + 2) <= firstBlock + i / (blocks + 2) % queryBlocks;
                double allowed = rounding * sharpness * (1 + Math.abs(expected[i]));
                assertThat(isWritten ? Math.abs(actual[i] - expected[i]) <= allowed : Float.isNaN(actual[i]))
                        .as("%s: element %d is %s, exactly %s", bench.description(), i, actual[i], expected[i])
                        .isTrue();
            }
        }
    }

    /// Keys or values with rows of NaN after the valid rows.
    private static Sample region(Workbench bench, DType type, int heads, int valid, int headDim) {
        int capacity = valid + 3;
        Sample region = bench.normal(type, heads, capacity, headDim);
        for (int h = 0; h < heads; h++) {
            Arrays.fill(region.values(), (h * capacity + valid) * headDim, (h + 1) * capacity * headDim, Float.NaN);
        }
        return region;
    }

    /// The rows that one query reads, in float.
    private static final class PlainRows {
        private final float[] query;
        private final float scale;
        private final List<float[]> values = new java.util.ArrayList<>();
        private final List<Float> exponents = new java.util.ArrayList<>();

        PlainRows(float[] query, float scale) {
            this.query = query;
            this.scale = scale;
        }

        void add(Sample keys, Sample rows, int head, int row, int times) {
            int at = (head * keys.extent(1) + row) * query.length;
            float dot = 0;
            for (int e = 0; e < query.length; e++) {
                dot += query[e] * keys.values()[at + e];
            }
            exponents.add(dot * scale + (float) Math.log(times));
            values.add(Arrays.copyOfRange(rows.values(), at, at + query.length));
        }

        float[] attend() {
            float largest = exponents.stream().max(Float::compare).orElseThrow();
            float total = 0;
            float[] sum = new float[query.length];
            for (int n = 0; n < values.size(); n++) {
                float weight = (float) Math.exp(exponents.get(n) - largest);
                total += weight;
                for (int e = 0; e < sum.length; e++) {
                    sum[e] += weight * values.get(n)[e];
                }
            }
            for (int e = 0; e < sum.length; e++) {
                sum[e] /= total;
            }
            return sum;
        }
    }

    /// Random lists; the block of a row is always among its key blocks.
    private static final class Lists {
        private final int heads;
        private final int firstToken;
        private final int block;
        private final Extras extras;
        private final int[][][] starts;
        private final int[][][] columns;
        private final int[] bands;

        private Lists(int heads, int[] sizes, Extras extras) {
            this.heads = heads;
            this.firstToken = sizes[0];
            this.block = sizes[2];
            this.extras = extras;
            int queryBlocks = (sizes[0] + sizes[1] - 1) / block - sizes[0] / block + 1;
            starts = new int[heads][queryBlocks][0];
            columns = new int[heads][queryBlocks][0];
            bands = new int[2 * heads];
            for (int h = 0; h < heads; h++) {
                bands[2 * h] = extras.band ? 3 + 10 * h : 0;
                bands[2 * h + 1] = extras.band ? 20 + 9 * h : SelectedKeys.NO_BAND;
            }
        }

        Lists(int heads, int[] sizes, Extras extras, SplittableRandom random) {
            this(heads, sizes, extras);
            for (int h = 0; h < heads; h++) {
                for (int b = 0; b < starts[h].length; b++) {
                    int own = (firstToken / block + b) * block;
                    // Blocks of the grid, or with columns any blocks that do not overlap.
                    int step = extras.columns ? block + random.nextInt(block) : block;
                    int at = b;
                    starts[h][b] = IntStream.concat(
                                    IntStream.iterate(0, start -> start + block <= own, start -> start + step)
                                            .filter(start -> random.nextBoolean()),
                                    IntStream.of(own))
                            .toArray();
                    if (extras.columns) {
                        var free = new TreeSet<Integer>();
                        IntStream.range(0, own)
                                .filter(j -> random.nextInt(4) == 0)
                                .forEach(free::add);
                        for (int start : starts[h][at]) {
                            free.subSet(start, start + block).clear();
                        }
                        columns[h][b] =
                                free.stream().mapToInt(Integer::intValue).toArray();
                    }
                }
            }
        }

        static Lists all(int heads, int[] sizes) {
            Lists all = new Lists(heads, sizes, new Extras(false, false, false, false));
            for (int[][] head : all.starts) {
                for (int b = 0; b < head.length; b++) {
                    int blocks = all.firstToken / all.block + b + 1;
                    head[b] = IntStream.range(0, blocks).map(j -> j * all.block).toArray();
                }
            }
            return all;
        }

        SelectedKeys on(Placement side, Sample meanKeys, Sample meanValues) {
            return new SelectedKeys(
                    block,
                    entries(side, starts),
                    counts(side, starts),
                    extras.columns ? new SelectedKeys.KeyColumns(entries(side, columns), counts(side, columns)) : null,
                    extras.band ? side.ints(bands, heads, 2) : null,
                    extras.means ? new SelectedKeys.BlockMeans(side.input(meanKeys), side.input(meanValues)) : null);
        }

        private static Tensor counts(Placement side, int[][][] lists) {
            int[] counts = Arrays.stream(lists)
                    .flatMapToInt(head -> Arrays.stream(head).mapToInt(list -> list.length))
                    .toArray();
            return side.ints(counts, lists.length, lists[0].length);
        }

        private static Tensor entries(Placement side, int[][][] lists) {
            int width = 1
                    + Arrays.stream(lists)
                            .flatMap(Arrays::stream)
                            .mapToInt(list -> list.length)
                            .max()
                            .orElse(0);
            int[] entries = Arrays.stream(lists)
                    .flatMap(Arrays::stream)
                    .flatMapToInt(list -> Arrays.stream(Arrays.copyOf(list, width)))
                    .toArray();
            return side.ints(entries, lists.length, lists[0].length, width);
        }

        IntStream keysOf(int h, int position) {
            int b = position / block - firstToken / block;
            IntStream inBlocks = Arrays.stream(starts[h][b])
                    .flatMap(start -> IntStream.range(start, start + block))
                    .filter(j -> j < bands[2 * h] || j > (long) position - bands[2 * h + 1]);
            return IntStream.concat(inBlocks, Arrays.stream(columns[h][b])).filter(j -> j <= position);
        }

        IntStream droppedBlocks(int h, int position) {
            int b = position / block - firstToken / block;
            return IntStream.range(0, extras.means ? position / block : 0)
                    .filter(j -> Arrays.stream(starts[h][b]).noneMatch(start -> start == j * block));
        }
    }
}
