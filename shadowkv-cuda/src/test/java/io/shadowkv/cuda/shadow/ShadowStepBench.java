package io.shadowkv.cuda.shadow;

import io.shadowkv.cuda.device.CudaContext;
import io.shadowkv.cuda.device.CudaScope;
import io.shadowkv.cuda.device.PinnedPool;
import io.shadowkv.cuda.device.SideWork;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.PendingFetches;
import io.shadowkv.cuda.launch.SlotMirrors;
import io.shadowkv.op.Backend.Place;
import io.shadowkv.op.BackendProvider.BackendOptions;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.IntConsumer;

/// Times each kernel of a ShadowKV decode step at Llama-3.1-8B's shape (one layer: 32 query heads,
/// 8 key-value heads of 128, bf16, rank 160, 256 units of 8 tokens selected, 60 % hits) and
/// compares it with the least time that its bytes take. Results are checked before they are timed
/// ([ShadowStepBenchLayers]).
///
/// `main` takes the read bandwidth of the device and the link's bandwidth for gathers in GB/s
/// (defaults: 4580 and 51.3, an H200's), and several numbers of blocks that read host memory, to
/// compare them. With `shares` and several shares of the multiprocessors for reading (0 is the whole
/// device), it measures one case on the part that decodes. Launches are recorded 20 at a time, so that the host's time
/// does not count. They
/// rotate over several layers, so that none finds its data in L2.
final class ShadowStepBench implements AutoCloseable {
    private static final int LAUNCHES = 20;
    private static final int RUNS = 7;
    private static final double HIT_RATE = 0.6;

    private final double deviceBytesPerSecond;
    private final double linkBytesPerSecond;
    private final CudaContext context;
    private final PinnedPool pinnedPool;
    private final CudaScope scope;
    private final CudaParts parts;

    private ShadowStepBench(double deviceBytesPerSecond, double linkBytesPerSecond) {
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
        boolean isDivided = args.length > 0 && args[0].equals("shares");
        double[] shares = isDivided
                ? Arrays.stream(args).skip(1).mapToDouble(Double::parseDouble).toArray()
                : new double[0];
        if (isDivided) {
            args = new String[0];
        }
        double device = args.length > 0 ? Double.parseDouble(args[0]) : 4580;
        double link = args.length > 1 ? Double.parseDouble(args[1]) : 51.3;
        int[] hostBlocks = args.length > 2
                ? Arrays.stream(args).skip(2).mapToInt(Integer::parseInt).toArray()
                : new int[] {PendingFetches.HOST_BLOCKS};
        try (var bench = new ShadowStepBench(1e9 * device, 1e9 * link)) {
            System.out.println(bench.context.name());
            if (shares.length > 0) {
                bench.runDivided(shares, hostBlocks);
                return;
            }
            for (int tokens : new int[] {61_440, 124_928}) {
                for (int batch : new int[] {1, 14, 29}) {
                    bench.run(batch, tokens, DType.BF16, Place.HOST, hostBlocks);
                    bench.run(batch, tokens, DType.I8, Place.HOST, hostBlocks);
                    bench.run(batch, tokens, DType.BF16, Place.DEVICE, hostBlocks);
                }
            }
        }
    }

    @SuppressWarnings("SystemOut")
    private void runDivided(double[] shares, int[] hostBlocks) {
        try (SideWork side = new SideWork(context, context.sideQueue(), "side")) {
            for (double share : shares) {
                context.divide(share, side);
                System.out.println(context.multiprocessors() + " multiprocessors");
                run(20, 124_928, DType.I8, Place.DEVICE, hostBlocks);
            }
            context.divide(0, side);
        }
    }

    /// Prints one line per kernel, and one for the step.
    @SuppressWarnings("SystemOut")
    private void run(int batch, int tokens, DType stored, Place place, int[] hostBlocks) {
        System.out.printf(Locale.ROOT, "%d rows of %,d tokens, values %s on %s%n", batch, tokens, stored, place);
        try (var memory = new CudaScope("a case", context, pinnedPool);
                var step = new ShadowStep(parts)) {
            var layers = new ShadowStepBenchLayers(context, memory, batch, tokens, stored, place);
            StepRows rows = layers.rows();
            step.score(layers.queries(), layers.table(0), rows, layers.scale(), layers.scores());
            layers.checkScores();
            for (int layer = 0; layer < layers.count(); layer++) {
                // The first step is cold; the others run until most resident units were selected at
                // random.
                for (int i = 0; i < 4; i++) {
                    step.forceHits(layers.scores(), layers.table(layer), rows, HIT_RATE);
                    step.select(layers.scores(), layers.table(layer), rows);
                }
                step.fetchValues(layers.table(layer), rows);
                step.rebuildKeys(layers.table(layer), rows, layers.rotary());
            }
            parts.pendingFetches().joinAll(context.queue());
            layers.checkMisses();
            double misses = layers.misses();
            int last = layers.count();
            line(
                    "score",
                    layers.landmarkBytes(),
                    deviceBytesPerSecond,
                    seconds(i -> step.score(
                            layers.queries(), layers.table(i % last), rows, layers.scale(), layers.scores())));
            line(
                    "rebuild",
                    misses * layers.rebuildBytes(),
                    deviceBytesPerSecond,
                    seconds(i -> step.rebuildKeys(layers.table(i % last), rows, layers.rotary())));
            double speed = place == Place.HOST ? linkBytesPerSecond : deviceBytesPerSecond;
            for (int blocks : hostBlocks) {
                try (var other = new ShadowStep(parts, blocks)) {
                    line(
                            "fetch " + blocks,
                            misses * layers.fetchBytes(),
                            speed,
                            seconds(i -> other.fetchValues(layers.table(i % last), rows)));
                }
            }
            line(
                    "force",
                    layers.scoreBytes(),
                    deviceBytesPerSecond,
                    seconds(i -> step.forceHits(layers.scores(), layers.table(i % last), rows, HIT_RATE)));
            line("force and select", 2 * layers.scoreBytes(), deviceBytesPerSecond, seconds(i -> {
                step.forceHits(layers.scores(), layers.table(i % last), rows, HIT_RATE);
                step.select(layers.scores(), layers.table(i % last), rows);
            }));
            line("all", misses * layers.fetchBytes(), speed, seconds(i -> {
                step.score(layers.queries(), layers.table(i % last), rows, layers.scale(), layers.scores());
                step.forceHits(layers.scores(), layers.table(i % last), rows, HIT_RATE);
                step.select(layers.scores(), layers.table(i % last), rows);
                step.fetchValues(layers.table(i % last), rows);
                step.rebuildKeys(layers.table(i % last), rows, layers.rotary());
                parts.pendingFetches().join(rows, context.queue());
            }));
        }
    }

    /// Median over runs of the mean time of a run's recorded launches.
    private double seconds(IntConsumer launch) {
        var key = new Object();
        Runnable step = () -> {
            for (int i = 0; i < LAUNCHES; i++) {
                launch.accept(i);
            }
            parts.pendingFetches().joinAll(context.queue());
        };
        long start = context.driver().cuEventCreate(true);
        long end = context.driver().cuEventCreate(true);
        double[] runs = new double[RUNS];
        // Run directly, then recorded, then timed.
        for (int r = -2; r < RUNS; r++) {
            context.queue().record(start);
            context.recordings().replay(key, step);
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

    @SuppressWarnings("SystemOut")
    private static void line(String kernel, double bytes, double bytesPerSecond, double seconds) {
        System.out.printf(
                Locale.ROOT,
                "  %-17s %9.1f us %8.1f MB %8.1f GB/s, floor %8.1f us, %5.1f %% of it%n",
                kernel,
                1e6 * seconds,
                bytes / 1e6,
                bytes / seconds / 1e9,
                1e6 * bytes / bytesPerSecond,
                100 * bytes / seconds / bytesPerSecond);
    }

    /// Copies `values` to the device.
    static Tensor upload(CudaContext context, CudaScope memory, int[] values, int... extents) {
        Tensor host = memory.allocate(Place.HOST, DType.I32, values.length);
        host.segment().copyFrom(MemorySegment.ofArray(values));
        Tensor device = memory.allocate(DType.I32, extents);
        context.queue().copy(context.address(device), host.segment().address(), host.byteSize());
        context.queue().synchronize();
        return device;
    }

    @Override
    public void close() {
        parts.pendingFetches().close();
        scope.close();
        pinnedPool.close();
        context.close();
    }
}
