package io.shadowkv.cli.bench.e2e;

import io.shadowkv.op.Backend;
import io.shadowkv.op.Backend.Place;
import io.shadowkv.op.DenseOperations;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;

/// How fast a backend moves bytes, measured with its own operations in the same run as the results
/// that are compared with it.
///
/// @param deviceBytesPerSecond in device memory: the faster of a copy (bytes read and written) and
///     of a product of one row with a large matrix (bytes read)
/// @param linkBytesPerSecond from host memory to the device, measured with one large copy; NaN if
///     both are the same memory
record Ceilings(double deviceBytesPerSecond, double linkBytesPerSecond) {
    /// Larger than any cache; an eighth of the free memory if that is less.
    private static final long DEVICE_BYTES = 1L << 30;

    private static final long HOST_BYTES = 1L << 28;

    /// Launching and waiting takes some 20 µs on a device, a gibibyte 230 µs; several in a row hide
    /// it.
    private static final int DEVICE_REPEATS = 8;

    /// An idle GPU raises its clocks within some 100 ms of work. Measured at once, an H200 had 2.3 TB/s
    /// instead of 4.2.
    private static final long DEVICE_WARMUP_NANOS = 400_000_000;

    private static final int WIDTH = 8192;
    private static final int RUNS = 7;

    static Ceilings measure(Backend backend) {
        int rows = rows(backend, Place.DEVICE);
        double device;
        try (MemoryScope scope = backend.newScope("measuring the memory's speed")) {
            device = device(backend, scope, rows);
        }
        if (backend.isHostDevice()) {
            return new Ceilings(device, Double.NaN);
        }
        int hostRows = Math.min(rows, rows(backend, Place.HOST));
        try (MemoryScope scope = backend.newScope("measuring the link's speed")) {
            Tensor host = scope.allocate(Place.HOST, DType.BF16, hostRows, WIDTH);
            Tensor near = scope.allocate(Place.DEVICE, DType.BF16, hostRows, WIDTH);
            DenseOperations dense = backend.operations().dense();
            return new Ceilings(device, host.byteSize() / seconds(backend, () -> dense.copy(host, near)));
        }
    }

    private static double device(Backend backend, MemoryScope scope, int rows) {
        DenseOperations dense = backend.operations().dense();
        DType type = backend.activationType(DType.BF16);
        Tensor matrix = scope.allocate(DType.BF16, rows, WIDTH);
        Tensor upper = matrix.slice(0, rows / 2);
        Tensor lower = matrix.slice(rows / 2, rows / 2);
        Tensor row = scope.allocate(type, 1, WIDTH);
        Tensor product = scope.allocate(type, 1, rows);
        double copied = 2.0 * upper.byteSize() / seconds(backend, () -> dense.copy(upper, lower));
        double read = matrix.byteSize() / seconds(backend, () -> dense.linear(row, matrix, null, product));
        return Math.max(copied, read);
    }

    private static int rows(Backend backend, Place place) {
        long bytes = Math.min(backend.isHostDevice() ? HOST_BYTES : DEVICE_BYTES, backend.availableBytes(place) / 8);
        return (int) Math.max(2, bytes / (WIDTH * (long) DType.BF16.bytes()));
    }

    /// Median of a few runs, after one warm-up run; a device warms up until its clocks are at their
    /// rate.
    private static double seconds(Backend backend, Runnable work) {
        int repeats = backend.isHostDevice() ? 1 : DEVICE_REPEATS;
        long[] nanos = new long[RUNS];
        long warm = System.nanoTime() + (backend.isHostDevice() ? 0 : DEVICE_WARMUP_NANOS);
        for (int i = -1; i < RUNS; i++) {
            backend.synchronize();
            long start = System.nanoTime();
            for (int repeat = 0; repeat < repeats; repeat++) {
                work.run();
            }
            backend.synchronize();
            if (i >= 0) {
                nanos[i] = Math.max(1, System.nanoTime() - start);
            } else if (System.nanoTime() < warm) {
                i--;
            }
        }
        Arrays.sort(nanos);
        return nanos[RUNS / 2] / 1e9 / repeats;
    }
}
