package io.shadowkv.cuda.attention;

import io.shadowkv.cuda.device.CudaContext;
import io.shadowkv.cuda.device.CudaScope;
import io.shadowkv.cuda.device.PinnedPool;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.PendingFetches;
import io.shadowkv.cuda.launch.SlotMirrors;
import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.Backend.Place;
import io.shadowkv.op.BackendProvider.BackendOptions;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.function.IntConsumer;

/// Times decode attention at Llama-3.1-8B's shape (32 query heads, 8 key-value heads of 128, bf16)
/// for several batch sizes and lengths. Each case is compared with the plain kernel before it is
/// timed. Prints the bytes of keys and values read per second, relative to the device's read
/// bandwidth in GB/s, which `main` takes (default: 4580, an H200's).
///
/// Launches rotate over several layers, so that none finds its keys in L2.
final class DecodeAttentionBench implements AutoCloseable {
    private static final int KV_HEADS = 8;
    private static final int GROUP_SIZE = 4;
    private static final int HEAD_DIM = 128;
    private static final long ROTATED_BYTES = 512L << 20;
    private static final long RESERVE_BYTES = 4L << 30;
    private static final int PATTERN_ROWS = 65_521;
    private static final double TOLERANCE = 0.01;

    /// The paper's settings at 122K: 48 outlier chunks, 256 selected chunks of 8 tokens, local and
    /// generated rows.
    private static final int FIRST_ROW = 384;

    private static final int UNIT_TOKENS = 8;
    private static final int SELECTED = 256;
    private static final int TAIL = 368;

    private final CudaContext context;
    private final PinnedPool pinnedPool;
    private final CudaScope scope;
    private final CudaParts parts;
    private final DecodeAttention decode;
    private final PlainDecode plain;
    private final Tensor pattern;
    private final double peakBytesPerSecond;
    private final SplittableRandom random = new SplittableRandom(7);

    private DecodeAttentionBench(double peakBytesPerSecond) {
        this.peakBytesPerSecond = peakBytesPerSecond;
        context = CudaContext.open(BackendOptions.DEFAULT);
        pinnedPool = new PinnedPool(context);
        scope = new CudaScope("the benchmark", context, pinnedPool);
        parts = new CudaParts(
                context,
                new SlotMirrors(context, pinnedPool),
                purpose -> new CudaScope(purpose, context, pinnedPool),
                scope,
                new PendingFetches(context));
        decode = new DecodeAttention(parts);
        plain = new PlainDecode(parts);
        pattern = normal(scope, PATTERN_ROWS, HEAD_DIM);
    }

    @SuppressWarnings("SystemOut")
    public static void main(String[] args) {
        double peak = args.length > 0 ? Double.parseDouble(args[0]) : 4580;
        try (var bench = new DecodeAttentionBench(1e9 * peak)) {
            System.out.println(bench.context.name());
            for (int[] lengths : new int[][] {{1, 17, 128, 129, 5000}, {100_003}, repeat(100, 64)}) {
                System.out.println(bench.all(lengths));
            }
            for (int length : new int[] {4096, 61_440, 124_928}) {
                for (int batch : new int[] {1, 2, 4, 8, 16, 32}) {
                    if (bench.fits((long) batch * length)) {
                        System.out.println(bench.all(repeat(length, batch)));
                    }
                }
            }
            System.out.println(bench.all(new int[] {124_928, 61_440, 30_000, 8_000, 2_000, 500, 100, 1}));
            for (int batch : new int[] {1, 2, 4, 8, 14, 16, 24, 32}) {
                System.out.println(bench.selected(batch, UNIT_TOKENS, SELECTED));
            }
            System.out.println(bench.selected(14, 1, SELECTED * UNIT_TOKENS));
        }
    }

    private static int[] repeat(int length, int count) {
        int[] lengths = new int[count];
        Arrays.fill(lengths, length);
        return lengths;
    }

    private boolean fits(long tokens) {
        return 4L * KV_HEADS * HEAD_DIM * tokens < context.memory()[0] - RESERVE_BYTES;
    }

    /// Full attention over sequences of these lengths.
    private String all(int[] lengths) {
        long tokens = Arrays.stream(lengths).asLongStream().sum();
        try (var memory = new CudaScope("a case", context, pinnedPool)) {
            int layers = layers(tokens);
            var tables = new ArrayList<SlotTable<AttendedRows>>();
            for (int layer = 0; layer < layers; layer++) {
                var table = new SlotTable<AttendedRows>();
                for (int slot = 0; slot < lengths.length; slot++) {
                    table.set(slot, new AttendedRows(region(memory, lengths[slot]), region(memory, lengths[slot])));
                }
                tables.add(table);
            }
            StepRows rows = rows(memory, lengths);
            Tensor queries = normal(memory, lengths.length, KV_HEADS * GROUP_SIZE, HEAD_DIM);
            Tensor out = memory.allocate(DType.BF16, lengths.length, KV_HEADS * GROUP_SIZE, HEAD_DIM);
            double scale = 1 / Math.sqrt(HEAD_DIM);
            var first = new DecodeCase(
                    queries,
                    parts.mirrors().attended(tables.getFirst()),
                    false,
                    tables.getFirst().get(0),
                    (float) scale,
                    out);
            decode.all(queries, tables.getFirst(), rows, scale, out);
            double error = difference(first, rows);
            double seconds = seconds(i -> decode.all(queries, tables.get(i % layers), rows, scale, out));
            String what = lengths.length + " rows, " + tokens + " tokens";
            return line("all", what, tokens, seconds, error);
        }
    }

    /// Attention over selected units, with twice as many resident.
    private String selected(int batch, int unitTokens, int selected) {
        int attended = FIRST_ROW + 2 * selected * unitTokens + TAIL;
        long tokens = (long) batch * (FIRST_ROW + selected * unitTokens + TAIL);
        try (var memory = new CudaScope("a case", context, pinnedPool)) {
            int layers = layers(tokens);
            var tables = new ArrayList<SlotTable<IndexedLayer>>();
            for (int layer = 0; layer < layers; layer++) {
                var table = new SlotTable<IndexedLayer>();
                for (int slot = 0; slot < batch; slot++) {
                    table.set(slot, indexed(memory, attended, unitTokens, selected));
                }
                tables.add(table);
            }
            StepRows rows = rows(memory, repeat(attended, batch));
            Tensor queries = normal(memory, batch, KV_HEADS * GROUP_SIZE, HEAD_DIM);
            Tensor out = memory.allocate(DType.BF16, batch, KV_HEADS * GROUP_SIZE, HEAD_DIM);
            double scale = 1 / Math.sqrt(HEAD_DIM);
            SlotTable<IndexedLayer> table = tables.getFirst();
            var first = new DecodeCase(
                    queries,
                    parts.mirrors().indexed(table),
                    true,
                    table.get(0).residency().attended(),
                    (float) scale,
                    out);
            decode.selected(queries, table, rows, scale, out);
            double error = difference(first, rows);
            double seconds = seconds(i -> decode.selected(queries, tables.get(i % layers), rows, scale, out));
            return line("selected", batch + " rows, units of " + unitTokens, tokens, seconds, error);
        }
    }

    private IndexedLayer indexed(CudaScope memory, int attended, int unitTokens, int selected) {
        int slots = 2 * selected;
        int[] chosen = new int[KV_HEADS * selected];
        for (int h = 0; h < KV_HEADS; h++) {
            for (int n = 0; n < selected; n++) {
                chosen[h * selected + n] = 2 * n + random.nextInt(2);
            }
        }
        Tensor unused = memory.allocate(DType.BF16, KV_HEADS, 1, HEAD_DIM);
        Tensor ints = memory.allocate(DType.I32, KV_HEADS, slots);
        return new IndexedLayer(
                new IndexedLayer.Landmarks(unitTokens, unused, ints),
                new IndexedLayer.KeyFactor(unused, unused),
                new IndexedLayer.StoredValues(unused, null),
                new IndexedLayer.Residency(
                        new AttendedRows(region(memory, attended), region(memory, attended)),
                        FIRST_ROW,
                        ints,
                        ints,
                        upload(memory, chosen, KV_HEADS, selected),
                        ints,
                        ints,
                        ints,
                        memory.allocate(DType.I64, 2)));
    }

    private static int layers(long tokens) {
        return Math.clamp(ROTATED_BYTES / (4L * KV_HEADS * HEAD_DIM * tokens) + 1, 1, 16);
    }

    /// Keys or values of every head, filled with repetitions of the pattern.
    private Tensor region(CudaScope memory, int rows) {
        Tensor region = memory.allocate(DType.BF16, KV_HEADS, rows, HEAD_DIM);
        long target = context.address(region);
        long shift = (long) random.nextInt(PATTERN_ROWS / 2) * HEAD_DIM * Short.BYTES;
        for (long done = 0; done < region.byteSize(); ) {
            long bytes = Math.min(pattern.byteSize() - shift, region.byteSize() - done);
            context.queue().copy(target + done, context.address(pattern) + shift, bytes);
            done += bytes;
            shift = 0;
        }
        return region;
    }

    private Tensor normal(CudaScope memory, int... extents) {
        Tensor host = memory.allocate(Place.HOST, DType.BF16, extents);
        for (long i = 0; i < host.elements(); i++) {
            Floats.set(DType.BF16, host.segment(), i, random.nextGaussian());
        }
        Tensor device = memory.allocate(DType.BF16, extents);
        context.queue().copy(context.address(device), host.segment().address(), host.byteSize());
        context.queue().synchronize();
        return device;
    }

    private Tensor upload(CudaScope memory, int[] values, int... extents) {
        Tensor host = memory.allocate(Place.HOST, DType.I32, extents);
        host.segment().copyFrom(MemorySegment.ofArray(values));
        Tensor device = memory.allocate(DType.I32, extents);
        context.queue().copy(context.address(device), host.segment().address(), host.byteSize());
        context.queue().synchronize();
        return device;
    }

    private StepRows rows(CudaScope memory, int[] attended) {
        int count = attended.length;
        int[] slots = new int[count];
        Arrays.setAll(slots, i -> i);
        Tensor unused = memory.allocate(DType.I32, count);
        return new StepRows(
                count, upload(memory, slots, count), unused, unused, upload(memory, attended, count), unused);
    }

    /// Largest difference between `out` and the plain kernel's result.
    private double difference(DecodeCase decoded, StepRows rows) {
        float[] tiled = download(decoded.out());
        plain.run(decoded, rows);
        float[] expected = download(decoded.out());
        double largest = 0;
        for (int i = 0; i < tiled.length; i++) {
            double difference = Math.abs(tiled[i] - expected[i]);
            // NaN propagates, and is not within any bound.
            largest = difference <= largest ? largest : difference;
        }
        double bound = TOLERANCE * Math.max(1, largest(expected));
        if (!(largest <= bound)) {
            throw new IllegalStateException("the kernels differ by " + largest + "; at most " + bound + " is allowed");
        }
        return largest;
    }

    private static double largest(float[] values) {
        double largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }

    private float[] download(Tensor tensor) {
        var bytes = Arena.ofAuto().allocate(tensor.byteSize(), 8);
        context.queue().copy(bytes.address(), context.address(tensor), tensor.byteSize());
        context.queue().synchronize();
        float[] values = new float[(int) tensor.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = Floats.fromBf16(bytes.getAtIndex(ValueLayout.JAVA_SHORT, i));
        }
        return values;
    }

    /// Median over runs of the mean time of a run's launches.
    private double seconds(IntConsumer launch) {
        for (int i = 0; i < 10; i++) {
            launch.accept(i);
        }
        long start = context.driver().cuEventCreate(true);
        long end = context.driver().cuEventCreate(true);
        double[] runs = new double[7];
        for (int r = 0; r < runs.length; r++) {
            int count = 20;
            context.queue().record(start);
            for (int i = 0; i < count; i++) {
                launch.accept(i);
            }
            context.queue().record(end);
            context.driver().cuEventSynchronize(end);
            runs[r] = context.driver().cuEventElapsedTime(start, end) / 1e3 / count;
        }
        context.driver().cuEventDestroy(start);
        context.driver().cuEventDestroy(end);
        Arrays.sort(runs);
        return runs[runs.length / 2];
    }

    private String line(String kind, String what, long tokens, double seconds, double error) {
        double bytes = 4.0 * KV_HEADS * HEAD_DIM * tokens;
        return String.format(
                Locale.ROOT,
                "%-9s %-28s %9.1f us %8.1f GB/s %5.1f %% of peak, differs by %.1e",
                kind,
                what,
                1e6 * seconds,
                bytes / seconds / 1e9,
                100 * bytes / seconds / peakBytesPerSecond,
                error);
    }

    @Override
    public void close() {
        decode.close();
        plain.close();
        scope.close();
        pinnedPool.close();
        context.close();
    }
}
