package io.shadowkv.cuda.shadow;

import io.shadowkv.cuda.device.CudaContext;
import io.shadowkv.cuda.device.CudaScope;
import io.shadowkv.cuda.device.PinnedPool;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.PendingFetches;
import io.shadowkv.cuda.launch.SlotMirrors;
import io.shadowkv.cuda.linear.CudaDense;
import io.shadowkv.op.Backend.Place;
import io.shadowkv.op.BackendProvider.BackendOptions;
import io.shadowkv.op.Rotary;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import java.util.Locale;

/// Times the indexing of one layer of a 122K prompt at Llama-3.1-8B's shape (8 key-value heads of
/// 128, bf16) and compares it with the least time that its bytes take.
/// [io.shadowkv.op.conformance.ShadowPrefillConformance] checks the results; the keys here are
/// normally distributed numbers.
///
/// `main` takes the copy bandwidths of the device and of the link in GB/s (defaults: 4300 and 55.5,
/// an H200's).
final class ShadowIndexingBench implements AutoCloseable {
    private static final int HEADS = 8;
    private static final int HEAD_DIM = 128;
    private static final int TOKENS = 124_928;
    private static final int UNIT_TOKENS = 8;
    private static final int UNITS = TOKENS / UNIT_TOKENS;
    private static final int OUTLIERS = 48;
    private static final int LAUNCHES = 5;
    private static final int RUNS = 7;

    private final double deviceBytesPerSecond;
    private final double linkBytesPerSecond;
    private final CudaContext context;
    private final PinnedPool pinnedPool;
    private final CudaScope scope;
    private final CudaParts parts;

    private ShadowIndexingBench(double deviceBytesPerSecond, double linkBytesPerSecond) {
        this.deviceBytesPerSecond = deviceBytesPerSecond;
        this.linkBytesPerSecond = linkBytesPerSecond;
        context = CudaContext.open(BackendOptions.DEFAULT);
        pinnedPool = new PinnedPool(context);
        scope = new CudaScope("the benchmark", context, pinnedPool);
        parts = new CudaParts(
                context,
                new SlotMirrors(context, pinnedPool),
                purpose -> new CudaScope(purpose, context, pinnedPool),
                scope,
                new PendingFetches(context));
    }

    @SuppressWarnings("SystemOut")
    public static void main(String[] args) {
        double device = args.length > 0 ? Double.parseDouble(args[0]) : 4300;
        double link = args.length > 1 ? Double.parseDouble(args[1]) : 55.5;
        try (var bench = new ShadowIndexingBench(1e9 * device, 1e9 * link)) {
            System.out.println(bench.context.name());
            bench.run();
        }
    }

    /// Prints one line per operation.
    private void run() {
        try (var dense = new CudaDense(parts);
                var indexing = new ShadowIndexing(parts)) {
            Tensor keys = scope.allocate(DType.BF16, HEADS, TOKENS, HEAD_DIM);
            dense.fillNormal(keys, 1, 1);
            double rows = keys.byteSize();

            Tensor landmarks = scope.allocate(DType.BF16, HEADS, UNITS, HEAD_DIM);
            Tensor cosines = scope.allocate(DType.F32, HEADS, UNITS);
            line(
                    "landmarks",
                    rows + landmarks.byteSize(),
                    deviceBytesPerSecond,
                    () -> indexing.landmarks(keys, 0, UNIT_TOKENS, landmarks, cosines));

            Tensor outliers = scope.allocate(DType.I32, HEADS, OUTLIERS);
            Tensor others = scope.allocate(DType.I32, HEADS, UNITS - OUTLIERS);
            line(
                    "split outliers",
                    2.0 * cosines.byteSize(),
                    deviceBytesPerSecond,
                    () -> indexing.splitOutliers(cosines, outliers, others));

            Tensor kept = scope.allocate(DType.BF16, HEADS, UNITS, HEAD_DIM);
            line(
                    "gather landmarks",
                    2.0 * landmarks.byteSize(),
                    deviceBytesPerSecond,
                    () -> indexing.gatherUnits(landmarks, others, 1, kept, 0));

            Tensor copy = scope.allocate(DType.BF16, HEADS, TOKENS, HEAD_DIM);
            line("copy rows", 2 * rows, deviceBytesPerSecond, () -> indexing.copyRows(keys, 0, TOKENS, copy, 0));

            int half = HEAD_DIM / 2;
            Tensor cosinesOfAngles = scope.allocate(DType.F32, TOKENS, half);
            Tensor sines = scope.allocate(DType.F32, TOKENS, half);
            var rotary = new Rotary(cosinesOfAngles, sines, HEAD_DIM, false, 1);
            Tensor plain = copy.reshape(TOKENS, HEADS * HEAD_DIM);
            line(
                    "unrotate",
                    2 * rows + 2.0 * sines.byteSize(),
                    deviceBytesPerSecond,
                    () -> indexing.unrotate(keys, 0, TOKENS, 0, rotary, plain));

            Tensor scales = scope.allocate(DType.BF16, HEADS, TOKENS);
            for (DType type : new DType[] {DType.I8, DType.F8E4M3}) {
                Tensor near = scope.allocate(type, HEADS, TOKENS, HEAD_DIM);
                line(
                        "store on device, " + type,
                        rows + near.byteSize(),
                        deviceBytesPerSecond,
                        () -> indexing.storeValues(keys, 0, TOKENS, near, scales, 0));
                Tensor far = scope.allocate(Place.HOST, type, HEADS, TOKENS, HEAD_DIM);
                line(
                        "store on host, " + type,
                        far.byteSize(),
                        linkBytesPerSecond,
                        () -> indexing.storeValues(keys, 0, TOKENS, far, scales, 0));
            }
            Tensor far = scope.allocate(Place.HOST, DType.BF16, HEADS, TOKENS, HEAD_DIM);
            line(
                    "store on host, BF16",
                    rows,
                    linkBytesPerSecond,
                    () -> indexing.storeValues(keys, 0, TOKENS, far, null, 0));
        }
    }

    @SuppressWarnings("SystemOut")
    private void line(String operation, double bytes, double bytesPerSecond, Runnable launch) {
        double seconds = seconds(launch);
        System.out.printf(
                Locale.ROOT,
                "  %-20s %9.1f us %8.1f MB %8.1f GB/s, floor %8.1f us, %5.1f %% of it%n",
                operation,
                1e6 * seconds,
                bytes / 1e6,
                bytes / seconds / 1e9,
                1e6 * bytes / bytesPerSecond,
                100 * bytes / seconds / bytesPerSecond);
    }

    /// Median over runs of the mean time of a run's launches.
    private double seconds(Runnable launch) {
        long start = context.driver().cuEventCreate(true);
        long end = context.driver().cuEventCreate(true);
        double[] runs = new double[RUNS];
        for (int r = -1; r < RUNS; r++) {
            context.queue().record(start);
            for (int i = 0; i < LAUNCHES; i++) {
                launch.run();
            }
            context.queue().record(end);
            context.driver().cuEventSynchronize(end);
            if (r >= 0) {
                runs[r] = context.driver().cuEventElapsedTime(start, end) / 1e3 / LAUNCHES;
            }
        }
        context.driver().cuEventDestroy(start);
        context.driver().cuEventDestroy(end);
        Arrays.sort(runs);
        return runs[RUNS / 2];
    }

    @Override
    public void close() {
        parts.pendingFetches().close();
        scope.close();
        pinnedPool.close();
        context.close();
    }
}
