package io.shadowkv.cuda.linear;

import io.shadowkv.cuda.device.CudaContext;
import io.shadowkv.cuda.device.CudaScope;
import io.shadowkv.cuda.device.PinnedPool;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.LaunchTimer;
import io.shadowkv.cuda.launch.PendingFetches;
import io.shadowkv.cuda.launch.SlotMirrors;
import io.shadowkv.cuda.linear.TileFormat.Code;
import io.shadowkv.op.BackendProvider.BackendOptions;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.testing.RandomBlocks;
import io.shadowkv.op.testing.RandomGroups;
import io.shadowkv.tensor.BlockFormat;
import io.shadowkv.tensor.CodeLayout;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.GroupedWeight.Groups;
import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/// Checks and times products with quantised weights on the device, for the shapes of Llama-3.1-8B.
///
/// Usage: TiledProbe [KERNEL-FOLDER]
///
/// Prints one line per case. After a wrong result the exit status is 1.
public final class TiledProbe {
    private static final int[] ROWS = {1, 4, 8, 16, 24, 32, 48, 64};
    private static final int[][] SHAPES = {{6144, 4096}, {4096, 4096}, {28672, 4096}, {4096, 14_336}};
    private static final int BYTES_OF_LAYERS = 1 << 28;

    private final CudaParts parts;
    private final CudaDense dense;
    private final TiledProducts products;
    private final TiledLinear linear;
    private int failures;

    private TiledProbe(CudaParts parts) {
        this.parts = parts;
        this.dense = new CudaDense(parts);
        this.products = new TiledProducts(parts, new Linear(parts));
        this.linear = new TiledLinear(parts);
    }

    public static void main(String[] arguments) {
        Path folder = arguments.length == 0 ? null : Path.of(arguments[0]);
        CudaContext context = CudaContext.open(BackendOptions.DEFAULT.withDevice(0, null, folder));
        var pool = new PinnedPool(context);
        var workScope = new CudaScope("the probe's buffers", context, pool);
        var parts = new CudaParts(
                context,
                new SlotMirrors(context, pool),
                purpose -> new CudaScope(purpose, context, pool),
                workScope,
                new PendingFetches(context));
        var probe = new TiledProbe(parts);
        System.out.println(context.name());
        for (Code code : Code.values()) {
            probe.check(code);
        }
        for (Code code : Code.values()) {
            for (int[] shape : SHAPES) {
                probe.time(code, shape[0], shape[1]);
            }
        }
        System.out.println(probe.failures == 0 ? "all right" : probe.failures + " wrong");
        System.exit(probe.failures == 0 ? 0 : 1);
    }

    /// A weight of one of the forms of codes, random and of at least 8 rows.
    private static Weight weight(Code code, int outputs, int inputs) {
        SplittableRandom random = new SplittableRandom(outputs);
        return switch (code) {
            case INT8 -> RandomBlocks.of(random, BlockFormat.Q8_0, outputs, inputs, 1);
            case FP8 -> RandomGroups.of(random, CodeLayout.F8E4M3, new Groups(outputs, inputs, 1, inputs), DType.F32);
            case INT4 -> RandomBlocks.of(random, BlockFormat.Q4_0, outputs, inputs, 1);
            case INT4_ZERO -> RandomGroups.of(random, CodeLayout.AWQ_4, new Groups(outputs, inputs, 1, 128), DType.F16);
            case Q4_K -> RandomBlocks.of(random, BlockFormat.Q4_K, outputs, inputs, 1);
            case Q5_K -> RandomBlocks.of(random, BlockFormat.Q5_K, outputs, inputs, 1);
            case Q6_K -> RandomBlocks.of(random, BlockFormat.Q6_K, outputs, inputs, 1);
        };
    }

    /// The fast kernel and the decoded matrix against the plain kernel, twice: the fast one must reset
    /// its counters.
    private void check(Code code) {
        for (int[] shape : new int[][] {{64, 256}, {1032, 768}, {4096, 4096}}) {
            try (MemoryScope scope = parts.newScope().apply("checking quantised products")) {
                TiledWeight weight = place(weight(code, shape[0], shape[1]), scope);
                for (int rows : new int[] {1, 3, 8, 9, 17, 31, 40, 64}) {
                    Tensor x = normal(scope, rows, shape[1]);
                    Tensor exact = scope.allocate(DType.F32, rows, weight.outputs());
                    Tensor found = scope.allocate(DType.F32, rows, weight.outputs());
                    products.multiplyPlain(x, weight, null, exact);
                    run(x, weight, found);
                    run(x, weight, found);
                    compare(weight + " by " + rows + " rows", exact, found);
                }
            }
        }
    }

    private void run(Tensor x, TiledWeight weight, Tensor out) {
        List<@Nullable Tensor> none = Collections.singletonList(null);
        if (!linear.serves(x, List.of(weight), none, List.of(out))) {
            throw new IllegalStateException("the kernel does not serve " + weight);
        }
        linear.run(x, List.of(weight), none, null, List.of(out));
    }

    private void compare(String what, Tensor expected, Tensor actual) {
        float[] exact = download(expected);
        float[] found = download(actual);
        double largest = 1;
        for (float value : exact) {
            largest = Math.max(largest, Math.abs(value));
        }
        for (int i = 0; i < exact.length; i++) {
            if (!(Math.abs(found[i] - exact[i]) <= 1e-5 * largest)) {
                System.out.printf("WRONG %s: element %d is %s, expected %s%n", what, i, found[i], exact[i]);
                failures++;
                return;
            }
        }
    }

    /// Several copies of the matrix, so that none is in the L2 cache.
    private void time(Code code, int outputs, int inputs) {
        try (MemoryScope scope = parts.newScope().apply("timing quantised products");
                LaunchTimer timer = new LaunchTimer(parts, parts.queue())) {
            Weight host = weight(code, outputs, inputs);
            int copies = (int) Math.max(2, BYTES_OF_LAYERS / host.byteSize());
            TiledWeight[] copied = new TiledWeight[copies];
            Arrays.setAll(copied, i -> place(host, scope));
            StringBuilder line = new StringBuilder("%s [%d, %d]:".formatted(code, outputs, inputs));
            for (int rows : ROWS) {
                Tensor x = normal(scope, rows, inputs);
                Tensor out = scope.allocate(DType.BF16, rows, outputs);
                float all = timer.milliseconds(() -> {
                    for (TiledWeight weight : copied) {
                        run(x, weight, out);
                    }
                });
                double each = all / copies;
                line.append(
                        " %d rows %.1f us (%.2f TB/s),".formatted(rows, 1e3 * each, copied[0].byteSize() / each / 1e9));
            }
            Tensor decoded = scope.allocate(DType.BF16, outputs, inputs);
            float time = timer.milliseconds(() -> products.decode(copied[0], decoded));
            System.out.println(line.append(" decoding %.1f us".formatted(1e3 * time)));
        }
    }

    private TiledWeight place(Weight weight, MemoryScope scope) {
        if (products.place(weight, scope) instanceof TiledWeight placed) {
            return placed;
        }
        throw new IllegalStateException("there is no kernel for " + weight);
    }

    private Tensor normal(MemoryScope scope, int... extents) {
        Tensor tensor = scope.allocate(DType.BF16, extents);
        dense.fillNormal(tensor, Arrays.hashCode(extents), 1);
        return tensor;
    }

    private float[] download(Tensor tensor) {
        try (Arena arena = Arena.ofConfined()) {
            Tensor host = Tensor.of(tensor.dtype(), tensor.shape(), arena.allocate(tensor.byteSize(), 8));
            dense.copy(tensor, host);
            parts.queue().synchronize();
            return Floats.toArray(host);
        }
    }
}
