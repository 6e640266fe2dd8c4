package io.shadowkv.cuda.sampling;

import io.shadowkv.op.Backend;
import io.shadowkv.op.BackendProvider;
import io.shadowkv.op.BackendProvider.BackendOptions;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.SamplingOperations;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import java.util.ServiceLoader;

/// Times recorded selections of the largest logits, one after the other on the device. Checks each first: the
/// largest must be the one that argmax finds.
///
///     java … io.shadowkv.cuda.sampling.TopLogitsBench [VOCABULARY]
public final class TopLogitsBench {
    private static final int[] ROWS = {1, 2, 8, 16, 32, 50, 100};
    private static final int[] COUNTS = {1, 20, 64, 256, 1024};
    /// Selections in a recorded step, so that its launch does not count.
    private static final int SELECTIONS = 20;
    private static final int RUNS = 11;

    private TopLogitsBench() {}

    public static void main(String[] args) {
        int vocabulary = args.length > 0 ? Integer.parseInt(args[0]) : 128_256;
        BackendProvider provider = ServiceLoader.load(BackendProvider.class).stream()
                .map(ServiceLoader.Provider::get)
                .filter(one -> one.name().equals("cuda"))
                .findFirst()
                .orElseThrow();
        try (Backend backend = provider.open(BackendOptions.DEFAULT)) {
            System.out.println(backend.description() + ", vocabulary " + vocabulary);
            for (int rows : ROWS) {
                for (int count : COUNTS) {
                    measure(backend, rows, vocabulary, count);
                }
            }
        }
    }

    private static void measure(Backend backend, int rows, int vocabulary, int count) {
        try (MemoryScope scope = backend.newScope("a measurement")) {
            Tensor logits = scope.allocate(DType.F32, rows, vocabulary);
            Tensor factors = scope.allocate(DType.F32, rows);
            Tensor values = scope.allocate(DType.F32, rows, count);
            Tensor ids = scope.allocate(DType.I32, rows, count);
            Tensor sums = scope.allocate(DType.F32, rows, 2);
            Tensor largest = scope.allocate(DType.I32, rows);
            backend.operations().dense().fillNormal(logits, 7, 3);
            backend.operations().dense().fillNormal(factors, 8, 0);
            backend.operations().dense().argmax(logits, largest);
            SamplingOperations sampling = backend.operations().sampling();
            Runnable step = () -> {
                for (int i = 0; i < SELECTIONS; i++) {
                    sampling.topLogits(logits, factors, values, ids, sums);
                }
            };
            String key = rows + " rows, " + count + " candidates";
            backend.replay(key, step);
            backend.replay(key, step);
            check(backend.downloadInts(largest), backend.downloadInts(ids), count);
            double[] micros = new double[RUNS];
            for (int run = 0; run < RUNS; run++) {
                backend.synchronize();
                long start = System.nanoTime();
                backend.replay(key, step);
                backend.synchronize();
                micros[run] = (System.nanoTime() - start) / 1e3 / SELECTIONS;
            }
            Arrays.sort(micros);
            System.out.printf(
                    "%3d rows, k %4d: median %7.1f us, %7.1f to %7.1f; logits at %6.2f TB/s%n",
                    rows,
                    count,
                    micros[RUNS / 2],
                    micros[0],
                    micros[RUNS - 1],
                    4.0 * rows * vocabulary / micros[RUNS / 2] / 1e6);
        }
    }

    private static void check(int[] largest, int[] ids, int count) {
        for (int i = 0; i < largest.length; i++) {
            if (ids[i * count] != largest[i]) {
                throw new AssertionError("row " + i + ": " + ids[i * count] + " was selected first, but token "
                        + largest[i] + " has the largest logit");
            }
        }
    }
}
