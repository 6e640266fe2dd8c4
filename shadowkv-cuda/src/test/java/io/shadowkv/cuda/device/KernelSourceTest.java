package io.shadowkv.cuda.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.cuda.launch.KernelTypes;
import io.shadowkv.tensor.DType;
import org.junit.jupiter.api.Test;

/// The parts that identify an instance of a kernel.
class KernelSourceTest {
    @Test
    void keepsConstantsInTheirOrder() {
        KernelSource source =
                KernelSource.of("copy_rows.cu", "copyRows").with("FROM", "bf16").with("VEC", 8);

        assertThat(source.defines()).containsExactly("FROM=bf16", "VEC=8");
        assertThat(source.file()).isEqualTo("copy_rows.cu");
        assertThat(source.function()).isEqualTo("copyRows");
    }

    @Test
    void isTheSameInstanceForTheSameConstantsOnly() {
        KernelSource plain = KernelSource.of("copy_rows.cu", "copyRows");

        assertThat(plain.with("VEC", 8)).isEqualTo(plain.with("VEC", 8)).isNotEqualTo(plain.with("VEC", 4));
        assertThat(plain.defines()).isEmpty();
    }

    @Test
    void namesElementTypesAsTheKernelsDo() {
        assertThat(KernelTypes.name(DType.BF16)).isEqualTo("bf16");
        assertThat(KernelTypes.name(DType.F8E4M3)).isEqualTo("f8");
        assertThatThrownBy(() -> KernelTypes.name(DType.BOOL)).hasMessage("no kernel computes on BOOL");
    }
}
