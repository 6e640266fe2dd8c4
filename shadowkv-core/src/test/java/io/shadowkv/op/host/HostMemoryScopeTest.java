package io.shadowkv.op.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.op.Backend;
import io.shadowkv.op.BackendMemoryException;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostMemoryScopeTest {
    @TempDir
    Path folder;

    @Test
    void offloadedValuesLieInAFileWithoutAName() throws IOException {
        try (HostMemoryScope scope = new HostMemoryScope("test", folder)) {
            Tensor offloaded = scope.allocate(Backend.Place.HOST, DType.F32, 3, 700_001);
            Tensor resident = scope.allocate(DType.F32, 5);
            assertThat(Floats.get(DType.F32, offloaded.segment(), 2_100_002)).isZero();
            Floats.set(DType.F32, offloaded.segment(), 2_100_002, 7);
            assertThat(Floats.get(DType.F32, offloaded.segment(), 2_100_002)).isEqualTo(7);
            assertThat(offloaded.segment().isMapped()).isTrue();
            assertThat(resident.segment().isMapped()).isFalse();
            assertThat(scope.bytes(Backend.Place.HOST)).isEqualTo(offloaded.byteSize());
            assertThat(scope.bytes(Backend.Place.DEVICE)).isEqualTo(resident.byteSize());
            try (Stream<Path> files = Files.list(folder)) {
                assertThat(files).as("files left to be seen").isEmpty();
            }
        }
    }

    @Test
    void aFolderThatCannotTakeThemIsNamed() {
        Path missing = folder.resolve("missing");
        try (HostMemoryScope scope = new HostMemoryScope("the values", missing)) {
            assertThatThrownBy(() -> scope.allocate(Backend.Place.HOST, DType.F32, 10))
                    .isInstanceOf(BackendMemoryException.class)
                    .hasMessageContaining("40 bytes for the values")
                    .hasMessageContaining(missing.toString());
            assertThat(scope.bytes(Backend.Place.HOST)).isZero();
        }
    }

    @Test
    void closedMemoryCannotBeUsed() {
        HostMemoryScope scope = new HostMemoryScope("test");
        Tensor tensor = scope.allocate(DType.F32, 4);
        scope.close();
        scope.close();
        assertThatThrownBy(() -> Floats.get(DType.F32, tensor.segment(), 0)).isInstanceOf(IllegalStateException.class);
        assertThat(scope.bytes(Backend.Place.DEVICE)).isZero();
    }
}
