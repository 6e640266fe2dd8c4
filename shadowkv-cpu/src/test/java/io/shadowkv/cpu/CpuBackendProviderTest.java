package io.shadowkv.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.op.BackendProvider.BackendOptions;
import org.junit.jupiter.api.Test;

class CpuBackendProviderTest {
    /// Otherwise the JVM compiles the kernels again for each backend.
    @Test
    void backendsOfTheSameWidthShareTheirClasses() {
        var provider = new CpuBackendProvider();
        try (var first = provider.open(new BackendOptions(1, 128));
                var second = provider.open(new BackendOptions(3, 128))) {
            assertThat(second.getClass()).isSameAs(first.getClass());
        }
    }
}
