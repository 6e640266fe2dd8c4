package io.shadowkv.cuda.attention;

import io.shadowkv.cuda.device.CudaContext;
import io.shadowkv.cuda.device.CudaScope;
import io.shadowkv.cuda.device.PinnedPool;
import io.shadowkv.cuda.ffi.CudaException;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.PendingFetches;
import io.shadowkv.cuda.launch.SlotMirrors;
import io.shadowkv.op.BackendProvider.BackendOptions;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.SplittableRandom;

/// Compares the kernels for prefill attention on a GPU: first their results, then their speed.
///
///     java … io.shadowkv.cuda.attention.PrefillProbe [check] [time] [KERNEL-FOLDER]
///
/// Prints one line per case. After a wrong result the exit status is 1.
@SuppressWarnings("try") // scopes are held, not used
public final class PrefillProbe {
    private static final int SOURCE_ELEMENTS = 1 << 22;
    private static final int REPEATS = 5;

    /// Tokens, keys, capacity, query heads, key-value heads, head dim.
    private static final int[][] CHECKED = {
        {1, 1, 4, 4, 1, 64},
        {1, 5000, 5003, 8, 2, 128},
        {17, 63, 66, 8, 2, 80},
        {33, 65, 68, 4, 4, 96},
        {131, 1031, 1034, 28, 4, 128},
        {128, 128, 128, 8, 2, 128},
        {129, 257, 260, 8, 2, 64},
        {200, 200, 203, 4, 1, 256},
        {1000, 8191, 9000, 32, 8, 128},
        {2048, 2048, 2048, 32, 8, 128},
        {64, 30000, 30016, 32, 8, 128},
        {33, 8225, 8225, 64, 8, 64},
        {1, 4097, 4104, 8, 4, 256},
        {300, 20480, 20480, 28, 4, 128},
    };

    private static final int[][] TIMED = {
        {16, 122880, 124928, 32, 8, 128},
        {64, 122880, 124928, 32, 8, 128},
        {256, 122880, 124928, 32, 8, 128},
        {600, 122880, 124928, 32, 8, 128},
        {8192, 8192, 124928, 32, 8, 128},
        {8192, 32768, 124928, 32, 8, 128},
        {8192, 122880, 124928, 32, 8, 128},
        {61440, 61440, 61440, 32, 8, 128},
        {124928, 124928, 124928, 32, 8, 128},
        {8192, 32768, 124928, 8, 8, 64},
        {8192, 32768, 32768, 16, 4, 256},
    };

    private final CudaContext context;
    private final PrefillAttention attention;
    private final java.util.function.Function<String, MemoryScope> newScope;
    private int failures;

    private PrefillProbe(CudaContext context, PinnedPool pool, CudaScope workScope) {
        this.context = context;
        this.newScope = purpose -> new CudaScope(purpose, context, pool);
        this.attention = new PrefillAttention(new CudaParts(
                context, new SlotMirrors(context, pool), newScope, workScope, new PendingFetches(context)));
    }

    public static void main(String[] arguments) {
        var words = Arrays.asList(arguments);
        Path folder = words.stream()
                .filter(word -> word.contains("/"))
                .map(Path::of)
                .findFirst()
                .orElse(null);
        CudaContext context = CudaContext.open(new BackendOptions(0, 0, null, 0, null, folder));
        var pool = new PinnedPool(context);
        var probe = new PrefillProbe(context, pool, new CudaScope("the probe's buffers", context, pool));
        System.out.println(context.name());
        if (!words.contains("time")) {
            for (int[] sizes : CHECKED) {
                probe.check(DType.BF16, sizes);
                probe.check(DType.F16, sizes);
            }
        }
        if (!words.contains("check")) {
            for (int[] sizes : TIMED) {
                probe.time(sizes);
            }
        }
        System.out.println(probe.failures == 0 ? "all right" : probe.failures + " wrong");
        if (probe.failures > 0) {
            System.exit(1);
        }
    }

    /// One of the kernels.
    private interface Way {
        /// Returns false if it does not support the sizes.
        boolean run(Case data);
    }

    private record Case(
            Tensor queries, Tensor keys, Tensor values, Tensor out, int keyCount, double scale, MemoryScope scope) {}

    private void eachWay(java.util.function.BiConsumer<String, Way> use) {
        use.accept("mma", data -> {
            attention.onTensorCores(
                    data.queries(), data.keys(), data.values(), data.keyCount(), data.scale(), data.out());
            return true;
        });
        if (context.isHopper()) {
            use.accept("wgmma", data -> {
                if (!Set.of(64, 128, 256).contains(data.queries().extent(2))) {
                    return false;
                }
                attention.onHopper(
                        data.queries(), data.keys(), data.values(), data.keyCount(), data.scale(), data.out());
                return true;
            });
        }
    }

    private void check(DType dtype, int[] sizes) {
        Case data = data(dtype, sizes, true);
        try (MemoryScope scope = data.scope()) {
            attention.plain(data.queries(), data.keys(), data.values(), data.keyCount(), data.scale(), data.out());
            float[] expected = download(data.out());
            eachWay((name, way) -> {
                context.queue().zero(context.address(data.out()), data.out().byteSize());
                boolean isTaken;
                try {
                    isTaken = way.run(data);
                } catch (CudaException e) {
                    System.out.printf("check %s %s %s: FAILED %s%n", dtype, Arrays.toString(sizes), name, e);
                    failures++;
                    return;
                }
                double error = largestError(expected, download(data.out()));
                boolean isRight = error <= (dtype == DType.BF16 ? 0.04 : 0.006);
                failures += isTaken && !isRight ? 1 : 0;
                System.out.printf(
                        "check %s %s %s: %s, largest difference %.5f%n",
                        dtype,
                        Arrays.toString(sizes),
                        name,
                        !isTaken ? "not taken" : isRight ? "right" : "WRONG",
                        error);
            });
        }
    }

    private static double largestError(float[] expected, float[] actual) {
        double largest = 0;
        for (int i = 0; i < expected.length; i++) {
            double error = Math.abs(expected[i] - actual[i]);
            largest = error <= largest ? largest : Double.isNaN(error) ? Double.POSITIVE_INFINITY : error;
        }
        return largest;
    }

    private void time(int[] sizes) {
        Case data = data(DType.BF16, sizes, false);
        double pairs = (double) sizes[0] * sizes[1] - sizes[0] * (sizes[0] - 1.0) / 2;
        double work = 4.0 * sizes[5] * sizes[3] * pairs;
        try (MemoryScope scope = data.scope()) {
            eachWay((name, way) -> {
                long start = System.nanoTime();
                if (!way.run(data)) {
                    System.out.printf("time %s %s: refused%n", Arrays.toString(sizes), name);
                    return;
                }
                context.queue().synchronize();
                double first = (System.nanoTime() - start) / 1e6;
                double[] millis = new double[REPEATS];
                for (int i = 0; i < REPEATS; i++) {
                    millis[i] = millis(() -> way.run(data));
                }
                Arrays.sort(millis);
                double median = millis[REPEATS / 2];
                System.out.printf(
                        "time %s %s: median %.3f ms (%.3f to %.3f), %.0f TFLOP/s, first run %.0f ms%n",
                        Arrays.toString(sizes),
                        name,
                        median,
                        millis[0],
                        millis[REPEATS - 1],
                        work / median / 1e9,
                        first);
            });
        }
    }

    private double millis(Runnable work) {
        long start = context.driver().cuEventCreate(true);
        long end = context.driver().cuEventCreate(true);
        context.queue().record(start);
        work.run();
        context.queue().record(end);
        context.driver().cuEventSynchronize(end);
        double millis = context.driver().cuEventElapsedTime(start, end);
        context.driver().cuEventDestroy(start);
        context.driver().cuEventDestroy(end);
        return millis;
    }

    /// Normally distributed inputs. With `isPoisoned`, rows of keys and values that must not be
    /// read are NaN.
    private Case data(DType dtype, int[] sizes, boolean isPoisoned) {
        MemoryScope scope = newScope.apply("a case");
        int t = sizes[0];
        int capacity = sizes[2];
        int heads = sizes[3];
        int kvHeads = sizes[4];
        int headDim = sizes[5];
        try (Arena arena = Arena.ofConfined()) {
            Tensor source = Tensor.of(
                    dtype, Shape.of(SOURCE_ELEMENTS), arena.allocate((long) SOURCE_ELEMENTS * dtype.bytes(), 16));
            var random = new SplittableRandom(7);
            float[] numbers = new float[SOURCE_ELEMENTS];
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = (float) random.nextGaussian();
            }
            Floats.fill(source, numbers);
            Tensor queries = scope.allocate(dtype, t, heads, headDim);
            Tensor keys = scope.allocate(dtype, kvHeads, capacity, headDim);
            Tensor values = scope.allocate(dtype, kvHeads, capacity, headDim);
            Tensor out = scope.allocate(dtype, t, heads, headDim);
            int shift = 0;
            for (Tensor tensor : new Tensor[] {queries, keys, values}) {
                shift += 977;
                repeat(tensor, source.segment(), (long) shift * dtype.bytes());
            }
            long rowBytes = (long) headDim * dtype.bytes();
            MemorySegment nan = arena.allocate(Math.max(1, (capacity - sizes[1]) * rowBytes));
            nan.fill((byte) 0xff);
            for (int h = 0; isPoisoned && h < kvHeads; h++) {
                long at = ((long) h * capacity + sizes[1]) * rowBytes;
                context.queue().copy(context.address(keys) + at, nan.address(), (capacity - sizes[1]) * rowBytes);
                context.queue().copy(context.address(values) + at, nan.address(), (capacity - sizes[1]) * rowBytes);
            }
            context.queue().synchronize();
            return new Case(queries, keys, values, out, sizes[1], 1 / Math.sqrt(headDim), scope);
        }
    }

    /// Fills a tensor with repetitions of `source`, starting `shift` bytes into it.
    private void repeat(Tensor target, MemorySegment source, long shift) {
        long piece = source.byteSize() - shift;
        for (long at = 0; at < target.byteSize(); at += piece) {
            long bytes = Math.min(piece, target.byteSize() - at);
            context.queue().copy(context.address(target) + at, source.address() + shift, bytes);
        }
    }

    private float[] download(Tensor tensor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(Math.max(1, tensor.byteSize()), 16);
            context.queue().copy(bytes.address(), context.address(tensor), tensor.byteSize());
            context.queue().synchronize();
            return Floats.toArray(Tensor.of(tensor.dtype(), tensor.shape(), bytes));
        }
    }
}
