package io.shadowkv.cuda.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The bytes of a `CUlaunchConfig` of CUDA 12 and 13.
class LaunchConfigTest {
    private static final int ATTRIBUTE_BYTES = 72;

    private static LaunchConfig config(Set<LaunchAttribute> attributes) {
        return new LaunchConfig(132, 3, 2, 256, 212_992, 0x7F00_1234_5678L, attributes);
    }

    @Test
    void writesGridBlockSharedBytesAndStream() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment config = config(Set.of()).write(arena);

            assertThat(config.byteSize()).isEqualTo(56);
            assertThat(config.asSlice(0, 28).toArray(JAVA_INT)).containsExactly(132, 3, 2, 256, 1, 1, 212_992);
            assertThat(config.get(JAVA_LONG, 32)).isEqualTo(0x7F00_1234_5678L);
            assertThat(config.get(JAVA_INT, 48)).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(LaunchAttribute.class)
    void writesOneAttribute(LaunchAttribute attribute) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment config = config(Set.of(attribute)).write(arena);
            MemorySegment list = config.get(ADDRESS, 40).reinterpret(ATTRIBUTE_BYTES);

            assertThat(config.get(JAVA_INT, 48)).isEqualTo(1);
            assertThat(list.get(JAVA_INT, 0)).isEqualTo(attribute == LaunchAttribute.COOPERATIVE ? 2 : 6);
            assertThat(list.get(JAVA_INT, 4)).isZero();
            assertThat(list.get(JAVA_INT, 8)).isEqualTo(1);
        }
    }

    @Test
    void writesBothAttributes() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment config = config(EnumSet.allOf(LaunchAttribute.class)).write(arena);
            MemorySegment list = config.get(ADDRESS, 40).reinterpret(2L * ATTRIBUTE_BYTES);

            assertThat(config.get(JAVA_INT, 48)).isEqualTo(2);
            assertThat(Set.of(list.get(JAVA_INT, 0), list.get(JAVA_INT, ATTRIBUTE_BYTES)))
                    .isEqualTo(Set.of(2, 6));
            assertThat(list.get(JAVA_INT, 8)).isEqualTo(1);
            assertThat(list.get(JAVA_INT, ATTRIBUTE_BYTES + 8)).isEqualTo(1);
        }
    }
}
