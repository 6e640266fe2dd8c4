package io.shadowkv.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.op.Backend;
import io.shadowkv.op.Backend.Place;
import io.shadowkv.op.BackendMemoryException;
import io.shadowkv.op.BackendProvider.BackendOptions;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Opening and closing a device, its kernel cache, and its messages when memory is short.
@GpuTest
class CudaLifecycleTest {
    /// Rows of 1 MiB, so that extents fit an int.
    private static final int ROW_BYTES = 1 << 20;

    @TempDir
    Path kernels;

    private Backend open(int device) {
        return new CudaBackendProvider().open(BackendOptions.DEFAULT.withDevice(device, null, kernels));
    }

    @Test
    void keepsCompiledKernelsAndUsesThemAgain() throws IOException {
        copyRows();
        List<Path> first = cubins();
        copyRows();

        assertThat(first).hasSize(1);
        assertThat(cubins()).isEqualTo(first);
    }

    private List<Path> cubins() throws IOException {
        try (Stream<Path> files = Files.list(kernels)) {
            return files.sorted().toList();
        }
    }

    /// Needs one kernel.
    private void copyRows() {
        try (Backend backend = open(0);
                MemoryScope scope = backend.newScope("test")) {
            Tensor rows = scope.allocate(DType.BF16, 2, 8, 16);
            Tensor others = scope.allocate(DType.BF16, 2, 8, 16);
            backend.operations().shadow().copyRows(rows, 0, 8, others, 0);
            assertThat(backend.download(others)).containsOnly(0);
        }
    }

    @Test
    void saysHowMuchMemoryIsMissingAndGoesOn() {
        try (Backend backend = open(0);
                MemoryScope scope = backend.newScope("too much")) {
            int rows = Math.toIntExact(backend.availableBytes(Place.DEVICE) / ROW_BYTES + 1024);

            assertThatThrownBy(() -> scope.allocate(DType.U8, rows, ROW_BYTES))
                    .isInstanceOf(BackendMemoryException.class)
                    .hasMessageContaining("for too much")
                    .hasMessageContaining("Shorten the context");
            assertThat(backend.download(scope.allocate(DType.F32, 5))).containsOnly(0);
        }
    }

    @Test
    void givesAllMemoryBack() {
        long before = available();
        try (Backend backend = open(0)) {
            MemoryScope scope = backend.newScope("test");
            scope.allocate(DType.U8, 1024, ROW_BYTES);
            scope.allocate(Place.HOST, DType.U8, 64, ROW_BYTES);
            assertThat(backend.availableBytes(Place.DEVICE)).isLessThanOrEqualTo(before - (1L << 30));
            scope.close();
        }
        // Other programs may take or free a few MiB at the same time.
        assertThat(available()).isGreaterThan(before - (64L << 20));
    }

    private long available() {
        try (Backend backend = open(0)) {
            return backend.availableBytes(Place.DEVICE);
        }
    }

    @Test
    void namesTheDevicesThatThereAre() {
        assertThatThrownBy(() -> open(1000))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("device 1000 was asked for");
    }
}
