package io.shadowkv.cpu;

import io.shadowkv.cache.KvCacheSpec.Shadow;
import io.shadowkv.cpu.eigen.DoubleRows;
import io.shadowkv.cpu.vector.Elementwise;
import io.shadowkv.cpu.vector.VectorMath;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.model.spec.RopeScaling;
import io.shadowkv.model.spec.RopeSpec;
import io.shadowkv.op.BackendProvider.BackendOptions;
import io.shadowkv.tensor.DType;
import java.util.Arrays;
import java.util.Random;
import java.util.function.DoubleConsumer;

/// A program that computes the same again and again and prints a line `NAME HASH` for each result, so that
/// [SameBitsTest] can compare JVMs that compile it differently, and the first results of a JVM with its later ones.
final class ResultBits {
    private static final int[] LENGTHS = {1, 7, 31, 32, 64, 77, 131, 256};
    /// Calls after which the compiler has replaced a kernel, with a margin.
    private static final int CALLS = 25_000;

    private ResultBits() {}

    /// @param arguments bits of a vector (0 for the machine's), how often each model is run, and how often each
    ///     kernel is called before its last result (0 for often enough that it is compiled)
    public static void main(String[] arguments) {
        int bits = Integer.parseInt(arguments[0]);
        int runs = Integer.parseInt(arguments[1]);
        int calls = Integer.parseInt(arguments[2]);
        var provider = new CpuBackendProvider();
        for (int threads : new int[] {1, 3}) {
            var options = new BackendOptions(threads, bits);
            model("bf16", DType.BF16, spec(64, 32), provider, options, runs);
            model("f32", DType.F32, spec(72, 24), provider, options, runs);
        }
        if (bits == 0) {
            kernels(calls == 0 ? CALLS : calls);
        }
    }

    private static DecoderSpec spec(int hiddenSize, int headDim) {
        RopeSpec rope = new RopeSpec(10_000, headDim, false, new RopeScaling.None());
        return new DecoderSpec("llama", 2, hiddenSize, 100, 4, 2, headDim, 90, 1e-5, rope, false, 1024);
    }

    /// Prefill, indexing, selection, rebuilding, attention and every product, by their logits.
    private static void model(
            String name,
            DType type,
            DecoderSpec spec,
            CpuBackendProvider provider,
            BackendOptions backendOptions,
            int runs) {
        int[] ids = new Random(5).ints(150, 0, spec.vocabularySize()).toArray();
        EngineOptions options =
                EngineOptions.DEFAULT.withCache(new Shadow(20, 4, 16, 2, 8, 8)).withPrefillRows(40);
        try (var backend = provider.open(backendOptions);
                Engine engine = Engine.openRandom(spec, type, 3, backend, options)) {
            for (int run = 0; run < runs; run++) {
                int[] hash = new int[1];
                engine.logits(ids, 140, true, 6, row -> hash[0] = 31 * hash[0] + Arrays.hashCode(row));
                System.out.println(name + " " + hash[0]);
            }
        }
    }

    private static void kernels(int calls) {
        Random random = new Random(11);
        float[] x = floats(random, 4 * 256);
        float[] y = floats(random, 4 * 256);
        double[][] rows = new double[8][];
        Arrays.setAll(rows, i -> random.doubles(256, -1, 1).toArray());
        for (int length : LENGTHS) {
            repeat("dot of " + length, calls, sums -> sums.accept(VectorMath.dot(x, 0, y, 0, length)));
            repeat(
                    "dot of " + length + " doubles",
                    calls,
                    sums -> sums.accept(DoubleRows.dot(rows[0], rows[1], 0, length)));
            repeat("powers of " + length, calls, sums -> {
                float[] powers = x.clone();
                sums.accept(VectorMath.exp2InPlace(powers, 0, length, 1.5f));
                sums.accept(Arrays.hashCode(powers));
            });
            repeat("reflection of " + length, calls, sums -> {
                double[][] copies = Arrays.stream(rows).map(double[]::clone).toArray(double[][]::new);
                DoubleRows.reflectFour(rows[0], copies, 4, length);
                sums.accept(Arrays.deepHashCode(copies));
            });
            repeat("gates of " + length, calls, sums -> {
                float[] gates = x.clone();
                Elementwise.gate(gates, y, length);
                sums.accept(Arrays.hashCode(gates));
            });
        }
    }

    private interface Kernel {
        void run(DoubleConsumer results);
    }

    /// Prints a hash of the first results and one of the last.
    private static void repeat(String name, int calls, Kernel kernel) {
        for (int call = 0; call < calls; call++) {
            long[] hash = {7};
            kernel.run(result -> hash[0] = 31 * hash[0] + Double.doubleToRawLongBits(result));
            if (call == 0 || call == calls - 1) {
                System.out.println(name.replace(' ', '-') + " " + hash[0]);
            }
        }
    }

    private static float[] floats(Random random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }
}
