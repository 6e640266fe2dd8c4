package io.shadowkv.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.op.BackendProvider;
import io.shadowkv.op.BackendProvider.Availability;
import io.shadowkv.op.BackendProvider.BackendOptions;
import java.nio.file.Path;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The reasons that a machine without a device, or without CUDA's libraries, reports.
class CudaBackendProviderTest {
    @TempDir
    Path empty;

    @Test
    void isOfferedToThoseWhoLookForBackends() {
        assertThat(ServiceLoader.load(BackendProvider.class))
                .anyMatch(provider -> provider instanceof CudaBackendProvider);
    }

    @Test
    void saysWhichLibraryIsMissingAndDoesNotOpen() {
        // On a machine with a driver, the folder lacks the compiler.
        BackendOptions options = BackendOptions.DEFAULT.withDevice(0, empty, null);
        var provider = new CudaBackendProvider();
        Availability availability = provider.availability(options);

        assertThat(availability.usable()).isFalse();
        assertThat(availability.priority()).isPositive();
        assertThat(availability.reason())
                .containsAnyOf("found no libcuda.so.1", "found no libnvrtc.so", "No CUDA device");
        assertThatThrownBy(() -> provider.open(options))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage(availability.reason());
    }
}
