package io.shadowkv.cuda.linear;

import io.shadowkv.cuda.PromptProbe;
import io.shadowkv.cuda.device.CudaContext;
import io.shadowkv.cuda.device.CudaScope;
import io.shadowkv.cuda.device.PinnedPool;
import io.shadowkv.cuda.device.SideWork;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.LaunchTimer;
import io.shadowkv.cuda.launch.PendingFetches;
import io.shadowkv.cuda.launch.SlotMirrors;
import io.shadowkv.cuda.shadow.EigenSolver;
import io.shadowkv.cuda.shadow.EigenSolvers;
import io.shadowkv.cuda.shadow.KeySpectrum;
import io.shadowkv.op.BackendProvider.BackendOptions;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Compares the kernels for linear layers on a GPU: first their results, then their speed at the
/// sizes of Llama-3.1-8B, then layers recorded as in a decode step, and the eigenvectors of keys.
/// Kernel 0 is the kernel in use; on Hopper, kernel 1 is the one for older devices.
///
///     java … io.shadowkv.cuda.linear.LinearProbe [check] [time] [layers] [prompt] [spectrum] [share=SHARE]
/// [KERNEL-FOLDER]
///
/// Prints one line per case. After a wrong result the exit status is 1.
public final class LinearProbe {
    private static final int HIDDEN = 4096;
    private static final int INTERMEDIATE = 14336;
    private static final int KV_WIDTH = 1024;
    private static final int[] ROWS = {1, 4, 8, 16, 32, 64};

    private final CudaContext context;
    private final CudaParts parts;
    private final CudaDense dense;
    private final List<SkinnyLinear> kernels;
    private final PlainProduct plain;
    private final MatrixProducts products;
    private int failures;

    private LinearProbe(CudaContext context, CudaParts parts) {
        this.context = context;
        this.parts = parts;
        this.dense = new CudaDense(parts);
        this.kernels = context.isHopper()
                ? List.of(new SkinnyLinear(parts, true), new SkinnyLinear(parts, false))
                : List.of(new SkinnyLinear(parts, false));
        this.plain = new PlainProduct(parts);
        this.products = new MatrixProducts(parts);
    }

    public static void main(String[] arguments) {
        List<String> words = Arrays.asList(arguments);
        Path folder = words.stream()
                .filter(word -> word.contains("/"))
                .map(Path::of)
                .findFirst()
                .orElse(null);
        CudaContext context = CudaContext.open(BackendOptions.DEFAULT.withDevice(0, null, folder));
        var pool = new PinnedPool(context);
        var workScope = new CudaScope("the probe's buffers", context, pool);
        var parts = new CudaParts(
                context,
                new SlotMirrors(context, pool),
                purpose -> new CudaScope(purpose, context, pool),
                workScope,
                new PendingFetches(context));
        var probe = new LinearProbe(context, parts);
        boolean isAll = words.stream().allMatch(word -> word.contains("/"));
        words.stream()
                .filter(word -> word.startsWith("share="))
                .map(word -> Double.parseDouble(word.substring("share=".length())))
                .forEach(share -> context.divide(share, new SideWork(context, context.sideQueue(), "side")));
        System.out.println(context.multiprocessors() + " multiprocessors");
        System.out.println(context.name());
        if (isAll || words.contains("check")) {
            probe.check();
        }
        if (isAll || words.contains("time")) {
            probe.time();
        }
        if (isAll || words.contains("layers")) {
            for (int rows : ROWS) {
                probe.layers(rows);
            }
        }
        if (isAll || words.contains("prompt")) {
            new PromptProbe(probe.parts, probe.dense).run();
        }
        if (isAll || words.contains("spectrum")) {
            probe.spectrum();
        }
        System.out.println(probe.failures == 0 ? "all right" : probe.failures + " wrong");
        System.exit(probe.failures == 0 ? 0 : 1);
    }

    private void check() {
        for (SkinnyLinear skinny : kernels) {
            for (DType type : List.of(DType.BF16, DType.F16)) {
                for (int rows : new int[] {1, 2, 7, 8, 9, 17, 31, 33, 40, 57, 64}) {
                    check(skinny, type, type, rows, 8, 1);
                    check(skinny, type, type, rows, 136, 127, 129, 5);
                    check(skinny, type, DType.F32, rows, 1000, 257);
                    check(skinny, type, type, rows, HIDDEN, HIDDEN, KV_WIDTH, KV_WIDTH);
                }
                check(skinny, type, type, 28, INTERMEDIATE, HIDDEN);
                check(skinny, type, DType.F32, 5, HIDDEN, 50_001);
            }
        }
    }

    /// All matrices in one launch, with bias and addend, twice: the kernel must reset its counters.
    private void check(SkinnyLinear skinny, DType type, DType outType, int rows, int inputs, int... outputs) {
        try (MemoryScope scope = parts.newScope().apply("checking linear layers")) {
            Tensor x = normal(scope, type, 1, rows, inputs);
            List<Tensor> weights = new ArrayList<>();
            List<@Nullable Tensor> biases = new ArrayList<>();
            List<Tensor> outs = new ArrayList<>();
            for (int output : outputs) {
                weights.add(normal(scope, type, 1 / Math.sqrt(inputs), output, inputs));
                biases.add(weights.size() % 2 == 0 ? null : normal(scope, type, 1, output));
                outs.add(scope.allocate(outType, rows, output));
            }
            skinny.run(x, weights, biases, null, outs);
            skinny.run(x, weights, biases, null, outs);
            String what = "kernel %d, %s [%d, %d] by %s to %s"
                    .formatted(kernels.indexOf(skinny), type, rows, inputs, Arrays.toString(outputs), outType);
            for (int i = 0; i < outputs.length; i++) {
                Tensor expected = scope.allocate(DType.F32, rows, outputs[i]);
                plain.linear(x, weights.get(i), biases.get(i), expected);
                compare(what + ", matrix " + i, outType, expected, outs.get(i), null);
                addLinear(skinny, scope, what + ", matrix " + i, x, weights.get(i), biases.get(i), expected);
            }
        }
    }

    private void addLinear(
            SkinnyLinear skinny,
            MemoryScope scope,
            String what,
            Tensor x,
            Tensor weight,
            @Nullable Tensor bias,
            Tensor expected) {
        Tensor before = normal(scope, x.dtype(), 1, expected.extent(0), expected.extent(1));
        Tensor target = scope.allocate(x.dtype(), expected.extent(0), expected.extent(1));
        dense.copy(before, target);
        skinny.run(x, List.of(weight), Collections.singletonList(bias), target, List.of(target));
        compare(what + ", added by the kernel", x.dtype(), expected, target, before);
        MatrixProduct product = MatrixProduct.linear(context, x, weight, bias, true, target);
        if (product != null) {
            dense.copy(before, target);
            boolean isRun = products.run(product, weight, x, bias, target, target);
            compare(what + ", added by the library (" + isRun + ")", x.dtype(), expected, target, before);
        }
    }

    /// One rounding of the result, and one of the product if the library adds, because it may round
    /// both.
    private void compare(String what, DType type, Tensor expected, Tensor actual, @Nullable Tensor added) {
        float[] exact = download(expected);
        float[] found = download(actual);
        float[] more = added == null ? new float[exact.length] : download(added);
        double rounding = switch (type) {
            case BF16 -> 0x1p-8;
            case F16 -> 0x1p-11;
            default -> 0x1p-24;
        };
        for (int i = 0; i < exact.length; i++) {
            double wanted = (double) exact[i] + more[i];
            double magnitude = Math.abs(wanted) + (added == null ? 0 : Math.abs(exact[i]));
            if (!(Math.abs(found[i] - wanted) <= 1.01 * rounding * magnitude + 2e-5)) {
                System.out.printf("WRONG %s: element %d is %s, expected %s%n", what, i, found[i], wanted);
                failures++;
                return;
            }
        }
    }

    private void time() {
        int[][] shapes = {
            {HIDDEN, HIDDEN, KV_WIDTH, KV_WIDTH},
            {HIDDEN, HIDDEN},
            {HIDDEN, INTERMEDIATE, INTERMEDIATE},
            {INTERMEDIATE, HIDDEN},
            {HIDDEN, 128_256}
        };
        for (int[] shape : shapes) {
            for (int rows : ROWS) {
                time(rows, shape[0], Arrays.copyOfRange(shape, 1, shape.length));
            }
        }
    }

    private void time(int rows, int inputs, int... outputs) {
        DType type = DType.BF16;
        DType outType = outputs[0] > INTERMEDIATE ? DType.F32 : type; // logits
        try (MemoryScope scope = parts.newScope().apply("timing linear layers");
                LaunchTimer timer = new LaunchTimer(parts, parts.queue())) {
            Tensor x = normal(scope, type, 1, rows, inputs);
            List<Tensor> weights = new ArrayList<>();
            List<@Nullable Tensor> biases = new ArrayList<>();
            List<Tensor> outs = new ArrayList<>();
            double bytes = 0;
            for (int output : outputs) {
                weights.add(normal(scope, type, 1 / Math.sqrt(inputs), output, inputs));
                biases.add(null);
                outs.add(scope.allocate(outType, rows, output));
                bytes += 2.0 * output * inputs;
            }
            Runnable library = () -> {
                for (int i = 0; i < outputs.length; i++) {
                    Tensor out = outs.get(i);
                    MatrixProduct product = MatrixProduct.linear(context, x, weights.get(i), null, false, out);
                    if (product == null || !products.run(product, weights.get(i), x, null, out, out)) {
                        throw new IllegalStateException("cuBLASLt cannot multiply these");
                    }
                }
            };
            library.run();
            float theirs = timer.milliseconds(library);
            StringBuilder line = new StringBuilder("%d rows of %d by %s: cuBLASLt %s"
                    .formatted(rows, inputs, Arrays.toString(outputs), speed(theirs, bytes)));
            for (SkinnyLinear skinny : kernels) {
                float ours = timer.milliseconds(() -> skinny.run(x, weights, biases, null, outs));
                line.append(", kernel ")
                        .append(kernels.indexOf(skinny))
                        .append(": ")
                        .append(speed(ours, bytes));
            }
            System.out.println(line);
        }
    }

    private static String speed(float milliseconds, double bytes) {
        return "%.1f us, %.0f GB/s".formatted(1e3 * milliseconds, bytes / milliseconds / 1e6);
    }

    /// The operations of a decode step outside attention, recorded, with more weights than any
    /// cache holds.
    private void layers(int rows) {
        int layers = 8;
        DType type = DType.BF16;
        try (MemoryScope scope = parts.newScope().apply("layers")) {
            List<Layer> all = new ArrayList<>();
            for (int i = 0; i < layers; i++) {
                all.add(Layer.random(this, scope));
            }
            Tensor hidden = normal(scope, type, 1, rows, HIDDEN);
            Tensor normed = scope.allocate(type, rows, HIDDEN);
            Tensor queries = scope.allocate(type, rows, HIDDEN);
            Tensor keys = scope.allocate(type, rows, KV_WIDTH);
            Tensor values = scope.allocate(type, rows, KV_WIDTH);
            Tensor gate = scope.allocate(type, rows, INTERMEDIATE);
            Tensor up = scope.allocate(type, rows, INTERMEDIATE);
            Runnable step = () -> {
                for (Layer layer : all) {
                    dense.rmsNorm(hidden, layer.norm, 1e-5, normed);
                    dense.linears(
                            normed,
                            List.of(layer.query, layer.key, layer.value),
                            Collections.nCopies(3, null),
                            List.of(queries, keys, values));
                    dense.addLinear(queries, layer.output, null, normed, hidden);
                    dense.rmsNorm(hidden, layer.norm, 1e-5, normed);
                    dense.gatedLinear(normed, List.of(layer.gate, layer.up), Collections.nCopies(2, null), gate, up);
                    dense.addLinear(gate, layer.down, null, normed, hidden);
                }
            };
            Object key = List.of("layers", rows);
            context.recordings().replay(key, step);
            context.recordings().replay(key, step);
            parts.queue().synchronize();
            int repeats = 20;
            long start = System.nanoTime();
            for (int i = 0; i < repeats; i++) {
                context.recordings().replay(key, step);
            }
            parts.queue().synchronize();
            double micros = (System.nanoTime() - start) / 1e3 / repeats / layers;
            double bytes = 2.0 * HIDDEN * (2.0 * HIDDEN + 2 * KV_WIDTH + 3.0 * INTERMEDIATE);
            System.out.printf(
                    "%d rows, recorded: %.1f us a layer, %.0f GB/s of weights%n", rows, micros, bytes / micros / 1e3);
        }
    }

    private void spectrum() {
        int tokens = 8192;
        int rank = 160;
        var spectrum = new KeySpectrum(parts);
        try (MemoryScope scope = parts.newScope().apply("a spectrum");
                LaunchTimer timer = new LaunchTimer(parts, parts.queue())) {
            Tensor keys = normal(scope, DType.BF16, 1, tokens, KV_WIDTH);
            Tensor gram = scope.allocate(DType.F32, KV_WIDTH, KV_WIDTH);
            Tensor basis = scope.allocate(DType.BF16, rank, KV_WIDTH);
            spectrum.accumulateGram(keys, gram);
            System.out.printf(
                    "gram of %d keys: %.1f us%n",
                    tokens, 1e3 * timer.milliseconds(() -> spectrum.accumulateGram(keys, gram)));
            EigenSolver solver = new EigenSolvers(parts).of(parts.queue());
            for (boolean isLargestOnly : new boolean[] {false, true, false, true}) {
                System.out.printf(
                        "%d eigenvectors of %d, %s: %.2f ms%n",
                        rank,
                        KV_WIDTH,
                        isLargestOnly ? "the largest only" : "of all",
                        solver.nanos(gram, rank, isLargestOnly) / 1e6);
            }
            spectrum.topEigenvectors(gram, basis);
        }
    }

    private Tensor normal(MemoryScope scope, DType type, double deviation, int... extents) {
        Tensor tensor = scope.allocate(type, extents);
        dense.fillNormal(tensor, Arrays.hashCode(extents), deviation);
        return tensor;
    }

    private float[] download(Tensor tensor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(tensor.byteSize(), 8);
            Tensor host = Tensor.of(tensor.dtype(), Shape.of(tensor.shape().toArray()), bytes);
            dense.copy(tensor, host);
            parts.queue().synchronize();
            return Floats.toArray(host);
        }
    }

    private record Layer(
            Tensor norm, Tensor query, Tensor key, Tensor value, Tensor output, Tensor gate, Tensor up, Tensor down) {
        static Layer random(LinearProbe probe, MemoryScope scope) {
            double deviation = 1 / Math.sqrt(HIDDEN);
            DType type = DType.BF16;
            return new Layer(
                    probe.normal(scope, type, 1, HIDDEN),
                    probe.normal(scope, type, deviation, HIDDEN, HIDDEN),
                    probe.normal(scope, type, deviation, KV_WIDTH, HIDDEN),
                    probe.normal(scope, type, deviation, KV_WIDTH, HIDDEN),
                    probe.normal(scope, type, deviation, HIDDEN, HIDDEN),
                    probe.normal(scope, type, deviation, INTERMEDIATE, HIDDEN),
                    probe.normal(scope, type, deviation, INTERMEDIATE, HIDDEN),
                    probe.normal(scope, type, deviation, HIDDEN, INTERMEDIATE));
        }
    }
}
