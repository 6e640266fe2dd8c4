package io.shadowkv.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.cuda.device.CudaContext;
import io.shadowkv.cuda.device.CudaScope;
import io.shadowkv.cuda.device.Grid;
import io.shadowkv.cuda.device.Kernel;
import io.shadowkv.cuda.device.KernelSource;
import io.shadowkv.cuda.device.PinnedPool;
import io.shadowkv.cuda.ffi.CudaException;
import io.shadowkv.op.BackendProvider.BackendOptions;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Cooperative launches, and kernels from a damaged cache, on the device.
@GpuTest
class CudaLaunchTest {
    private static final int THREADS = 256;
    /// Bytes of the mark that ends a file of the cache.
    private static final int MARK_BYTES = 16;
    private static final KernelSource ADD =
            KernelSource.of("add.cu", "add").with("ACT", "float").with("VECTOR", 1);

    @TempDir
    Path kernels;

    private CudaContext open() {
        return CudaContext.open(BackendOptions.DEFAULT.withDevice(0, null, kernels));
    }

    @Test
    void runsAsManyBlocksTogetherAsFitAndNoMore() {
        try (CudaContext context = open();
                var pool = new PinnedPool(context);
                var scope = new CudaScope("test", context, pool)) {
            Kernel kernel = context.kernels().get(ADD);
            int most = context.multiprocessors() * kernel.blocksPerMultiprocessor(THREADS, 0);
            long count = (long) most * THREADS;
            Tensor sum = scope.allocate(DType.F32, Math.toIntExact(count));
            kernel.launchTogether(context.queue(), Grid.of(most, THREADS), sum, sum, count);
            context.queue().synchronize();

            assertThatThrownBy(
                            () -> kernel.launchTogether(context.queue(), Grid.of(most + 1, THREADS), sum, sum, count))
                    .isInstanceOf(CudaException.class)
                    .hasMessageContaining("wait for each other, and %,d are asked for".formatted(most + 1));
            // The device still works.
            kernel.launch(context.queue(), Grid.of(most, THREADS), sum, sum, count);
            context.queue().synchronize();
        }
    }

    @Test
    void compilesDamagedKernelsAgain() throws IOException {
        addOnce();
        Path file = files().getFirst();
        byte[] whole = Files.readAllBytes(file);
        for (int length : new int[] {0, 100, whole.length / 2, whole.length - 1}) {
            Files.write(file, Arrays.copyOf(whole, length));
            addOnce();
            assertThat(Files.readAllBytes(file)).isEqualTo(whole);
        }
        assertThat(files()).containsExactly(file);
    }

    /// With a correct hash, so that only the driver sees that these are not kernels.
    @Test
    void compilesKernelsAgainThatTheDriverRefuses() throws IOException, NoSuchAlgorithmException {
        addOnce();
        Path file = files().getFirst();
        byte[] whole = Files.readAllBytes(file);
        byte[] text = "this is not a cubin".getBytes(StandardCharsets.UTF_8);
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        digest.update(file.getFileName().toString().replace(".cubin", "").getBytes(StandardCharsets.UTF_8));
        digest.update(text);
        byte[] mark = Arrays.copyOfRange(whole, whole.length - MARK_BYTES, whole.length);
        Files.write(file, text);
        Files.write(file, digest.digest(), StandardOpenOption.APPEND);
        Files.write(file, mark, StandardOpenOption.APPEND);
        addOnce();

        assertThat(Files.readAllBytes(file)).isEqualTo(whole);
        assertThat(files()).containsExactly(file);
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(kernels)) {
            return files.toList();
        }
    }

    private void addOnce() {
        try (CudaContext context = open();
                var pool = new PinnedPool(context);
                var scope = new CudaScope("test", context, pool)) {
            Tensor sum = scope.allocate(DType.F32, THREADS);
            context.kernels().get(ADD).launch(context.queue(), Grid.of(1, THREADS), sum, sum, (long) THREADS);
            context.queue().synchronize();
        }
    }
}
